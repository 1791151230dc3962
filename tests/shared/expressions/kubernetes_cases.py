"""Expressions over the CEL functions that Kubernetes documents for admission, with kube-apiserver's results.

`RESULTS` was recorded from ValidatingAdmissionPolicies of a kube-apiserver 1.36 (`against_apiserver.py`). `true` and
`false`: the value; `error`: the evaluation fails; `invalid`: the expression does not compile."""

from typing import Any, Final

from tests.shared.expressions.kubernetes_types import ADDRESSES, FORMATS, QUANTITY, URLS, VERSIONS

OBJECT: Final[dict[str, Any]] = {
    "spec": {
        "number": 8,
        "float": 1.5,
        "cpu": "500m",
        "memory": "64Gi",
        "names": ["b", "a", "c"],
        "numbers": [3, 1, 2],
        "empty": [],
        "image": "registry.example.com/team/app:1.2",
        "labels": {"team": "a", "env": "prod"},
        "containers": [
            {"name": "main", "limits": {"cpu": "2", "nvidia.com/gpu": "4"}},
            {"name": "side", "limits": {"cpu": 1}},
        ],
    }
}
"""The object that the expressions see, besides its metadata."""

STANDARD: Final = """
true
1 + 1 == 2
1 < 1.5
1u < 2
1.0 == 1
object.spec.number == 8.0
object.spec.number > 7.5
object.spec.float > 1
object.spec.number + 1 == 9
object.spec.float + 1 == 2.5
[1, 2.0] == [1.0, 2]
[1, 'a'].size() == 2
{'a': 1, 'b': 'x'}.size() == 2
'a' + 'b' == 'ab'
'abc'.contains('b')
'abc'.startsWith('a') && 'abc'.endsWith('c')
'abc'.matches('^a.c$')
'abc'.matches('[')
size('äöü') == 3
has(object.spec.cpu)
has(object.spec.nothing)
object.spec.nothing == 1
object.?spec.?nothing.orValue('x') == 'x'
object.spec.?cpu.hasValue()
object.?spec.?nothing.optMap(v, v + 1).orValue(7) == 7
optional.of(1).value() == 1
optional.none().hasValue()
optional.ofNonZeroValue('').hasValue()
[?object.spec.?nothing, object.spec.?cpu.orValue('')].size() == 1
object.spec.names.all(n, n != 'x')
object.spec.names.exists(n, n == 'a')
object.spec.names.exists_one(n, n == 'a')
object.spec.names.map(n, n + '!') == ['b!', 'a!', 'c!']
object.spec.names.map(n, n != 'a', n + '!') == ['b!', 'c!']
object.spec.names.filter(n, n != 'a') == ['b', 'c']
object.spec.labels.all(k, k.size() < 5)
'a' in object.spec.names
'team' in object.spec.labels
int('42') == 42
double('1.5') == 1.5
string(1.5) == '1.5'
bool('true')
uint(3) == 3u
bytes('abc').size() == 3
type(1) == int
dyn(1) == 1
duration('90m').getHours() == 1
duration('1h') + duration('30m') == duration('90m')
timestamp('2024-02-29T12:00:00Z').getDayOfMonth() == 28
timestamp('2024-02-29T12:00:00Z').getFullYear() == 2024
timestamp('2024-02-29T12:00:00Z').getHours('Europe/Berlin') == 13
timestamp('2024-02-29T12:00:00Z') - duration('12h') == timestamp('2024-02-29T00:00:00Z')
timestamp('nonsense') == timestamp('2024-02-29T12:00:00Z')
1 / 0 == 1
9223372036854775807 + 1 == 0
5 % 3 == 2
object.spec.cpu == 5
true ? 1 == 1 : 1 / 0 == 1
false && 1 / 0 == 1
"""

STRINGS: Final = """
'tacocat'.charAt(3) == 'o'
'tacocat'.charAt(9) == 'o'
'hello mellow'.indexOf('ell') == 1
'hello mellow'.indexOf('ell', 2) == 7
'hello mellow'.indexOf('x') == -1
'hello mellow'.lastIndexOf('ell') == 7
'hello mellow'.lastIndexOf('ell', 6) == 1
['a', 'b'].join() == 'ab'
['a', 'b'].join(', ') == 'a, b'
object.spec.names.join('-') == 'b-a-c'
'TacoCät'.lowerAscii() == 'tacocät'
'TacoCät'.upperAscii() == 'TACOCäT'
'hello hello'.replace('he', 'we') == 'wello wello'
'hello hello'.replace('he', 'we', 1) == 'wello hello'
'a b c'.split(' ') == ['a', 'b', 'c']
'a b c'.split(' ', 2) == ['a', 'b c']
'a b c'.split(' ', 0) == []
'tacocat'.substring(4) == 'cat'
'tacocat'.substring(0, 4) == 'taco'
'tacocat'.substring(0, 7) == 'tacocat'
'tacocat'.substring(4, 3) == ''
'  trim  '.trim() == 'trim'
'%s is %d'.format(['a', 1]) == 'a is 1'
'%.2f'.format([1.555]) == '1.56'
'%s'.format([[1, 'a']]) == '[1, a]'
'%s'.format([{'a': true}]) == '{a: true}'
'%x %X %o %b'.format([255, 255, 8, 5]) == 'ff FF 10 101'
'%s'.format([1.0]) == '1'
'%d'.format(['a']) == 'a'
strings.quote('a"b') == '"a\\\\"b"'
'abc'.reverse() == 'cba'
"""

LISTS: Final = """
[1, 2, 3].isSorted()
[2, 1].isSorted()
['a', 'b', 'b', 'c'].isSorted()
[2.0, 1.0].isSorted()
[].isSorted()
object.spec.names.isSorted()
[1, 3].sum() == 4
[1.0, 3.0].sum() == 4.0
[duration('1m'), duration('1s')].sum() == duration('61s')
[].sum() == 0
object.spec.numbers.sum() == 6
object.spec.empty.sum() == 0
['a', 'b'].sum() == 'ab'
[1, 3].min() == 1
[1, 3].max() == 3
['b', 'a', 'c'].min() == 'a'
['b', 'a', 'c'].max() == 'c'
[1.5, 0.5].min() == 0.5
[].min() == 1
object.spec.empty.max() == 1
object.spec.names.max() == 'c'
object.spec.numbers.min() == 1
[duration('1m'), duration('1s')].min() == duration('1s')
[timestamp('2024-02-29T12:00:00Z'), timestamp('2024-02-29T13:00:00Z')].max() == timestamp('2024-02-29T13:00:00Z')
[true, false].min() == false
[1, 2, 2, 3].indexOf(2) == 1
[1, 2, 2, 3].lastIndexOf(2) == 2
['a', 'b', 'b', 'c'].indexOf('b') == 1
['a', 'b', 'b', 'c'].lastIndexOf('x') == -1
[1.0].indexOf(1.1) == -1
[].indexOf('x') == -1
object.spec.names.indexOf('a') == 1
object.spec.names.lastIndexOf('c') == 2
[[1], [2]].indexOf([2]) == 1
[1, 2, 3].slice(1, 3) == [2, 3]
[[1], [2, 3]].flatten() == [1, 2, 3]
[3, 1, 2].sort() == [1, 2, 3]
['aa', 'b'].sortBy(s, s.size()) == ['b', 'aa']
[1, 1, 2].distinct() == [1, 2]
[1, 2].reverse() == [2, 1]
lists.range(3) == [0, 1, 2]
[1, 2].first().value() == 1
[1, 2].last().value() == 2
"""

REGEX: Final = """
'abc 123'.find('[0-9]+') == '123'
'abc 123'.find('[0-9]*') == ''
'abc 123'.find('xyz') == ''
'key=value'.find('(key)=(value)') == 'key=value'
'123 abc 456'.findAll('[0-9]+') == ['123', '456']
'123 abc 456'.findAll('[0-9]+', 1) == ['123']
'123 abc 456'.findAll('[0-9]+', 0) == []
'123 abc 456'.findAll('[0-9]+', -1) == ['123', '456']
'123 abc 456'.findAll('xyz') == []
'a1b2'.findAll('([a-z])([0-9])') == ['a1', 'b2']
'abc'.find('[') == ''
object.spec.image.find('[^/]+$') == 'app:1.2'
object.spec.image.findAll('[a-z]+').size() == 5
"""

SETS: Final = """
sets.contains([1, 2, 3], [2, 3])
sets.contains([1], [2])
sets.contains([], [])
sets.equivalent([1, 2, 2], [2, 1])
sets.equivalent([1], [1, 2])
sets.intersects([1, 2], [2, 3])
sets.intersects([1], [])
sets.contains(object.spec.names, ['a', 'b'])
sets.contains([1], [1.0])
"""

TWO_VARIABLES: Final = """
object.spec.names.all(i, n, i < 3 && n != 'x')
object.spec.names.exists(i, n, i == 1 && n == 'a')
object.spec.names.existsOne(i, n, n == 'a')
object.spec.names.exists_one(i, n, n == 'a')
object.spec.labels.all(k, v, k != v)
object.spec.labels.exists(k, v, k == 'team' && v == 'a')
object.spec.names.transformList(i, n, string(i) + n) == ['0b', '1a', '2c']
object.spec.names.transformList(i, n, n != 'a', n) == ['b', 'c']
object.spec.labels.transformMap(k, v, v + '!') == {'team': 'a!', 'env': 'prod!'}
object.spec.labels.transformMap(k, v, k == 'env', v) == {'env': 'prod'}
object.spec.labels.transformMapEntry(k, v, {v: k}) == {'a': 'team', 'prod': 'env'}
"""

OTHERS: Final = """
timestamp('2024-02-29T12:34:56.789Z').getMonth() == 1
timestamp('2024-02-29T12:34:56.789Z').getDate() == 29
timestamp('2024-02-29T12:34:56.789Z').getDayOfWeek() == 4
timestamp('2024-02-29T12:34:56.789Z').getDayOfYear() == 59
timestamp('2024-02-29T12:34:56.789Z').getMinutes() == 34
timestamp('2024-02-29T12:34:56.789Z').getSeconds() == 56
timestamp('2024-02-29T12:34:56.789Z').getMilliseconds() == 789
timestamp('2024-02-29T23:34:56Z').getDate('Europe/Berlin') == 1
duration('90m').getHours() == 1
duration('90m').getMinutes() == 90
optional.none().or(optional.of('a')).value() == 'a'
optional.of('a').or(optional.of('b')).value() == 'a'
optional.of(2).optFlatMap(x, x > 1 ? optional.of(x) : optional.none()).hasValue()
optional.of(1).optFlatMap(x, x > 1 ? optional.of(x) : optional.none()).hasValue()
['a'][?1].hasValue()
math.ceil(1.2) == 2.0
math.isNaN(1.0)
base64.encode(b'hello') == 'aGVsbG8='
base64.decode('aGVsbG8=') == b'hello'
math.greatest(1, 2) == 2
math.least(1, 2) == 1
math.abs(-1) == 1
cel.bind(x, 'a', x + x) == 'aa'
object.spec.containers.all(c, has(c.limits) && 'cpu' in c.limits)
object.spec.containers.filter(c, 'nvidia.com/gpu' in c.limits).map(c, int(c.limits['nvidia.com/gpu'])).sum() == 4
object.spec.containers.map(c, quantity(string(c.limits.cpu))).exists(q, q.isGreaterThan(quantity('1')))
object.spec.containers.map(c, quantity(string(c.limits.cpu)).asInteger()).sum() == 3
object.metadata.name.startsWith('case')
!has(object.metadata.labels)
request.operation == 'CREATE'
request.userInfo.groups.exists(g, g == 'system:masters')
namespaceObject.metadata.name == object.metadata.namespace
oldObject == null
authorizer.group('apps').resource('deployments').check('create').allowed()
"""

GROUPS: Final = {
    "standard": STANDARD,
    "strings": STRINGS,
    "lists": LISTS,
    "regex": REGEX,
    "quantity": QUANTITY,
    "sets": SETS,
    "two variables": TWO_VARIABLES,
    "URLs": URLS,
    "addresses": ADDRESSES,
    "formats": FORMATS,
    "versions": VERSIONS,
    "others": OTHERS,
}

EXPRESSIONS: Final = {group: tuple(line for line in text.splitlines() if line) for group, text in GROUPS.items()}
