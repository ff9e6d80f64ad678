package document

import (
	"path/filepath"
	"strings"
	"unicode"

	"syncd/internal/access"
	"syncd/internal/arn"
)

// guessKind determines the kind of a policy. If the file name contains the word scp or rcp,
// guessKind returns [access.KindServiceControl] or [access.KindResourceControl]. Otherwise, the
// kind of a policy with principals follows from the service that most of its actions and resources
// name. A policy without principals is an identity policy, unless the file name contains the word
// for another kind.
func guessKind(d *Document) access.Kind {
	if k := kindByName(d.File.Name); k.OfOrganization() {
		return k
	}
	named := false
	count := map[string]int{}
	for _, s := range d.Policy.Statements {
		named = named || s.Has("Principal") || s.Has("NotPrincipal")
		for _, a := range append(s.Actions, s.NotActions...) {
			service, _, _ := strings.Cut(strings.ToLower(a.Text), ":")
			count[service] += 2
		}
		for _, r := range append(s.Resources, s.NotResources...) {
			a, _ := arn.Split(r.Text)
			count[a.Service]++
		}
	}
	if !named {
		return kindByName(d.File.Name)
	}
	best := access.Kind("")
	for _, k := range []access.Kind{access.KindTrust, access.KindBucket, access.KindKey, access.KindQueue} {
		if n := count[k.Service()]; n > 0 && (best == "" || n > count[best.Service()]) {
			best = k
		}
	}
	switch {
	case best == "":
		return kindByName(d.File.Name)
	case best == access.KindBucket && d.Policy.AccessPoint() != "":
		return access.KindAccessPoint
	}
	return best
}

// kindByName determines the kind from words in the file name, for policies whose contents do not
// show it.
func kindByName(name string) access.Kind {
	base := strings.ToLower(filepath.Base(name))
	for _, w := range []struct {
		word string
		kind access.Kind
	}{
		{"trust", access.KindTrust},
		{"assume-role-policy", access.KindTrust},
		{"access-point-policy", access.KindAccessPoint},
		{"bucket-policy", access.KindBucket},
		{"key-policy", access.KindKey},
		{"queue-policy", access.KindQueue},
		{"session-policy", access.KindSession},
	} {
		if strings.Contains(base, w.word) {
			return w.kind
		}
	}
	for _, word := range strings.FieldsFunc(base, func(r rune) bool { return !unicode.IsLetter(r) }) {
		if word == string(access.KindServiceControl) || word == string(access.KindResourceControl) {
			return access.Kind(word)
		}
	}
	return access.KindIdentity
}
