"""Expressions over the types of Kubernetes (quantities, URLs, addresses, formats, versions), as in `kubernetes_cases`."""

from typing import Final

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
