"""What steps create: their children. A child is a Job, or another object that this package has a `ChildType` for.

The rest of the JobFlow controller knows children only as `ObservedChild` (controller.jobflow.model.observed), which has the
phases and counts of a Job whatever its kind is, and asks `type_of(step)` for everything that differs between kinds.
Attempts, loops, retries, deadlines, failure strategies, retain policy and stopping are therefore the same for all kinds.

To add a kind of step:

1. Give `Step` its field (shared/model/step.py) and the webhook its rules (webhook/rules/flow/).
2. Write a module here with a subclass of `ChildType`, and add an instance to `CHILD_TYPES` in `registry.py`.
3. A type whose children are of a kind that no other type has lists it in `parsers`: the observer keeps a cache of every
   kind that is listed (controller/jobflow/observe/child_cache.py), and a route wakes the flow when a child changes.
4. Give the controller the rights on the kind in the chart.

A step that creates nothing, such as a switch, has no type: it is a gate in controller/jobflow/decide/advance.py.
"""
