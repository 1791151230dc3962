// Makes the field of a namespace a choice of those that exist, for whoever may list them.
const field = document.querySelector("input[data-namespaces]");
if (field) {
  const response = await fetch(field.dataset.namespaces, { headers: { Accept: "application/json" } }).catch(() => null);
  const names = response?.ok ? await response.json() : [];
  if (names.length) choose(field, names);
}

function choose(input, names) {
  const select = document.createElement("select");
  select.name = input.name;
  const known = names.includes(input.value) || input.value === "*" ? names : [input.value, ...names];
  for (const name of ["*", ...known]) {
    const option = new Option(name === "*" ? "all namespaces" : name, name, false, name === input.value);
    select.append(option);
  }
  select.addEventListener("change", () => select.form.requestSubmit());
  const focused = document.activeElement === input;
  input.replaceWith(select);
  if (focused) select.focus();
}
