package access

import (
	"path/filepath"
	"strings"
	"unicode"
)

// guessKind finds out what a policy is for by what it says: with principals it belongs to a resource, whose service is that of most
// actions; without it is an identity policy, unless the file's name says otherwise.
func guessKind(d *document) Kind {
	if k := kindByName(d.file.Name); k.ofOrganization() {
		return k
	}
	named := false
	count := map[string]int{}
	for _, s := range d.policy.statements {
		named = named || s.has("Principal") || s.has("NotPrincipal")
		for _, a := range append(s.actions, s.notActions...) {
			service, _, _ := strings.Cut(strings.ToLower(a.text), ":")
			count[service] += 2
		}
		for _, r := range append(s.resources, s.notResources...) {
			count[parseARN(r.text).service]++
		}
	}
	if !named {
		return kindByName(d.file.Name)
	}
	best := Kind("")
	for _, k := range []Kind{KindTrust, KindBucket, KindKey, KindQueue} {
		if n := count[k.service()]; n > 0 && (best == "" || n > count[best.service()]) {
			best = k
		}
	}
	switch {
	case best == "":
		return kindByName(d.file.Name)
	case best == KindBucket && d.policy.accessPoint() != "":
		return KindAccessPoint
	}
	return best
}

// kindByName reads words of the file's name, for policies that lack what they are known by.
func kindByName(name string) Kind {
	base := strings.ToLower(filepath.Base(name))
	for _, w := range []struct {
		word string
		kind Kind
	}{
		{"trust", KindTrust},
		{"assume-role-policy", KindTrust},
		{"access-point-policy", KindAccessPoint},
		{"bucket-policy", KindBucket},
		{"key-policy", KindKey},
		{"queue-policy", KindQueue},
		{"session-policy", KindSession},
	} {
		if strings.Contains(base, w.word) {
			return w.kind
		}
	}
	for _, word := range strings.FieldsFunc(base, func(r rune) bool { return !unicode.IsLetter(r) }) {
		if word == string(KindServiceControl) || word == string(KindResourceControl) {
			return Kind(word)
		}
	}
	return KindIdentity
}
