"""Expressions over the CEL functions that Kubernetes documents for admission, with kube-apiserver's results.

`RESULTS` was recorded from ValidatingAdmissionPolicies of a kube-apiserver 1.36 (`against_apiserver.py`). `true` and
`false`: the value; `error`: the evaluation fails; `invalid`: the expression does not compile.
"""

from typing import Any, Final

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

QUANTITY: Final = """
quantity('1.5Gi') == quantity('1536Mi')
quantity('500m').isLessThan(quantity('1'))
quantity('500m').isGreaterThan(quantity('1'))
quantity('1').isGreaterThan(quantity('999m'))
quantity('1k').compareTo(quantity('1000')) == 0
quantity('1').compareTo(quantity('2')) == -1
quantity('2').compareTo(quantity('1')) == 1
quantity('50k').add(quantity('20k')) == quantity('70k')
quantity('50k').add(20) == quantity('50020')
quantity('50k').sub(quantity('20k')) == quantity('30k')
quantity('50k').sub(20000) == quantity('30k')
quantity('0.1').add(quantity('0.2')) == quantity('0.3')
quantity('50k').isInteger()
quantity('50m').isInteger()
quantity('9999999999999999999999999999G').isInteger()
quantity('50k').asInteger() == 50000
quantity('50m').asInteger() == 0
quantity('9999999999999999999999999999G').asInteger() == 1
quantity('50.3m').asApproximateFloat() > 0.05
quantity('50k').sign() == 1
quantity('-1').sign() == -1
quantity('0').sign() == 0
isQuantity('1.3Gi')
isQuantity('1.3Xi')
isQuantity('')
isQuantity('-5')
isQuantity('1e3')
isQuantity('1E')
isQuantity('.5')
isQuantity('5.')
isQuantity('.')
isQuantity('Gi')
isQuantity(' 1')
isQuantity('1 ')
quantity('200') == quantity('200.0')
quantity('1Xi') == quantity('1')
quantity(object.spec.cpu).isLessThan(quantity('1'))
quantity(object.spec.memory).asInteger() == 68719476736
quantity(object.spec.memory).isGreaterThan(quantity('64G'))
quantity('-1').isLessThan(quantity('0'))
quantity('1Ei').isGreaterThan(quantity('1E'))
isQuantity(string(object.spec.number))
quantity(string(object.spec.number)).isGreaterThan(quantity('7'))
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

URLS: Final = """
url('https://example.com:80/').getHost() == 'example.com:80'
url('https://example.com:80/').getHostname() == 'example.com'
url('https://example.com:80/').getPort() == '80'
url('https://example.com/').getPort() == ''
url('https://example.com/').getScheme() == 'https'
url('https://[::1]:80/').getHostname() == '::1'
url('https://[::1]:80/').getHost() == '[::1]:80'
url('https://example.com/path with spaces/').getEscapedPath() == '/path%20with%20spaces/'
url('https://example.com').getEscapedPath() == ''
url('https://example.com/path?k1=a&k2=b&k2=c').getQuery() == {'k1': ['a'], 'k2': ['b', 'c']}
url('https://example.com/path?key%201=a%26').getQuery() == {'key 1': ['a&']}
url('https://example.com/path').getQuery() == {}
url('/absolute/path').getHost() == ''
url('/absolute/path').getScheme() == ''
url('../relative') == url('x')
isURL('https://user:pass@example.com:80/path?query=val#fragment')
isURL('/absolute-path')
isURL('https://a:b:c/')
isURL('../relative-path')
isURL('')
isURL('example.com')
url('https://a.b/') == url('https://a.b/')
"""

ADDRESSES: Final = """
isIP('192.168.0.1')
isIP('::1')
isIP('256.0.0.1')
isIP('192.168.0.01')
isIP('::ffff:1.2.3.4')
isIP('fe80::1%eth0')
ip('127.0.0.1').family() == 4
ip('::1').family() == 6
ip('127.0.0.1').isLoopback()
ip('0.0.0.0').isUnspecified()
ip('224.0.0.1').isLinkLocalMulticast()
ip('169.254.169.254').isLinkLocalUnicast()
ip('192.168.0.1').isGlobalUnicast()
ip('127.0.0.1').isGlobalUnicast()
ip('255.255.255.255').isGlobalUnicast()
ip('2001:db8::abcd').isGlobalUnicast()
ip('ff02::1').isLinkLocalMulticast()
ip.isCanonical('127.0.0.1')
ip.isCanonical('2001:db8::abcd')
ip.isCanonical('2001:DB8::ABCD')
ip.isCanonical('nonsense')
string(ip('2001:db8:0::1')) == '2001:db8::1'
ip('nonsense').family() == 4
ip('1.2.3.4') == ip('1.2.3.4')
isCIDR('192.168.0.0/24')
isCIDR('192.168.0.1/24')
isCIDR('192.168.0.0/33')
isCIDR('192.168.0.0')
isCIDR('::/0')
cidr('192.168.0.0/24').containsIP(ip('192.168.0.1'))
cidr('192.168.0.0/24').containsIP('192.168.1.1')
cidr('192.168.0.0/24').containsIP('nonsense')
cidr('192.168.0.0/24').containsCIDR(cidr('192.168.0.0/25'))
cidr('192.168.0.0/24').containsCIDR('192.168.0.0/23')
cidr('192.168.0.0/24').ip() == ip('192.168.0.0')
cidr('192.168.0.7/24').masked() == cidr('192.168.0.0/24')
cidr('192.168.0.0/24').prefixLength() == 24
string(cidr('192.168.0.0/24')) == '192.168.0.0/24'
cidr('::1/24').ip().family() == 6
"""

FORMATS: Final = """
!format.dns1123Label().validate('my-label').hasValue()
format.dns1123Label().validate('My_Label').hasValue()
format.dns1123Label().validate('My_Label').value().size() == 1
!format.dns1123Subdomain().validate('a.b-c.d').hasValue()
format.dns1123Subdomain().validate('a..b').hasValue()
!format.dns1035Label().validate('a-b').hasValue()
format.dns1035Label().validate('1a').hasValue()
!format.qualifiedName().validate('example.com/My.name').hasValue()
format.qualifiedName().validate('a/b/c').hasValue()
!format.dns1123LabelPrefix().validate('my-label-').hasValue()
!format.dns1123SubdomainPrefix().validate('my.label-').hasValue()
!format.dns1035LabelPrefix().validate('my-label-').hasValue()
!format.labelValue().validate('a_b').hasValue()
!format.labelValue().validate('').hasValue()
format.labelValue().validate('-a').hasValue()
!format.uri().validate('http://example.com').hasValue()
format.uri().validate('::nonsense').hasValue()
!format.uuid().validate('123e4567-e89b-12d3-a456-426614174000').hasValue()
format.uuid().validate('123').hasValue()
!format.byte().validate('aGVsbG8=').hasValue()
format.byte().validate('a').hasValue()
!format.date().validate('2021-01-01').hasValue()
format.date().validate('2021-13-01').hasValue()
!format.datetime().validate('2021-01-01T00:00:00Z').hasValue()
format.datetime().validate('2021-01-01').hasValue()
format.named('dns1123Label').hasValue()
format.named('nonsense').hasValue()
!format.named('dns1123Label').value().validate('a').hasValue()
format.dns1123Label().validate(object.spec.cpu).hasValue()
"""

VERSIONS: Final = """
isSemver('1.0.0')
isSemver('1.0')
isSemver('v1.0.0')
isSemver('v1.0', true)
isSemver('01.01.01')
isSemver('1.2.3-alpha.1+build')
semver('1.2.3').major() == 1
semver('1.2.3').minor() == 2
semver('1.2.3').patch() == 3
semver('1.2.3').isLessThan(semver('1.2.4'))
semver('1.2.3').isGreaterThan(semver('1.2.4'))
semver('1.2.3').compareTo(semver('1.2.3')) == 0
semver('1.2.3-alpha').isLessThan(semver('1.2.3'))
semver('1.2.3-alpha.2').isLessThan(semver('1.2.3-alpha.10'))
semver('1.2.3+a') == semver('1.2.3+b')
semver('1.0', true) == semver('1.0.0')
semver('nonsense').major() == 1
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
