package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"syncd/config/fault"
	"syncd/config/secret"
	"syncd/internal/arn"
	"syncd/internal/ascii"
	"syncd/internal/awsname"
	"syncd/internal/endpoint"
	"syncd/internal/hint"
)

// roleRules are the rules for roles. Bounds without another source come from the parameters of
// AssumeRole in the AWS STS API reference.
type roleRules struct{ *sideRules }

// all checks every role and its chain.
func (v roleRules) all() {
	for _, name := range slices.Sorted(maps.Keys(v.Roles)) {
		path, r := fault.Child("roles", name), v.Roles[name]
		v.check(isRoleName(name), path, strconv.Quote(name)+" is not a name for a role", "use 1 to 63 letters, digits, _ and -")
		v.role(r, path)
		v.roleExists(path+".via", r.Via)
		v.chain(name, path)
		if v.Full() {
			return
		}
	}
}

func (v roleRules) role(r Role, path string) {
	_, err := arn.ParseRole(r.ARN)
	v.refused(path+".arn", err)
	v.externalID(r.ExternalID, path+".external_id")
	v.sessionWord(path+".session_name", r.SessionName)
	if r.SourceIdentity != "" {
		v.sessionWord(path+".source_identity", r.SourceIdentity)
	}
	v.tags(r, path)
	v.transitive(r, path)
	v.duration(r, path+".duration")
	v.url(path+".endpoint_url", r.EndpointURL)
	v.check(!endpoint.IsS3(r.EndpointURL), path+".endpoint_url", "is an S3 endpoint, but this setting needs an STS endpoint", "leave it out, or use one such as https://sts.us-west-2.amazonaws.com")
	exposedRules{v.validator}.role(r, path)
	if r.Region != "" {
		v.region(path+".region", r.Region, v.compatible(r.EndpointURL))
	}
}

func (v roleRules) externalID(e secret.ExternalID, path string) {
	key, err := e.Check()
	if key != "" {
		path += "." + key
	}
	v.refused(path, err)
}

// sessionWord checks a RoleSessionName or SourceIdentity of STS, which have the same form.
func (v roleRules) sessionWord(path, s string) {
	v.check(len(s) >= 2 && len(s) <= 64 && ascii.Word(s, awsname.IdentityCharacters), path,
		strconv.Quote(s)+" is not 2 to 64 letters, digits and _+=,.@-", "")
}

func (v roleRules) duration(r Role, path string) {
	d := r.Duration.Duration()
	v.between(path, r.Duration, 15*time.Minute, 12*time.Hour)
	v.check(d%time.Second == 0, path, r.Duration.String()+" is not a whole number of seconds", "")
	v.check(r.Via == "" || d <= time.Hour, path, r.Duration.String()+" is out of bounds for a role with via",
		"use at most 1h, the limit of STS for a chained role")
}

func (v roleRules) tags(r Role, path string) {
	v.check(len(r.Tags) <= 50, path+".tags", fmt.Sprintf("has %d tags", len(r.Tags)), "use at most 50")
	spelling := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(r.Tags)) {
		at := fault.Child(path+".tags", key)
		v.check(key != "" && isTagText(key, 128), at, "the key is not 1 to 128 letters, digits, spaces and _.:/=+-@", "")
		v.check(isTagText(r.Tags[key], 256), at, strconv.Quote(r.Tags[key])+" is not up to 256 letters, digits, spaces and _.:/=+-@", "")
		folded := strings.ToLower(key)
		v.check(!strings.HasPrefix(folded, "aws:"), at, "keys that begin with aws: are reserved", "")
		if other, taken := spelling[folded]; taken {
			v.fault(at, "differs from "+strconv.Quote(other)+" only in case, which STS rejects", "keep one of them")
		}
		spelling[folded] = key
	}
}

// isTagText reports whether s has at most most characters, all allowed by the tag patterns of the
// AWS STS API reference: [\p{L}\p{Z}\p{N}_.:/=+\-@].
func isTagText(s string, most int) bool {
	other := func(r rune) bool {
		return r == utf8.RuneError || !unicode.In(r, unicode.L, unicode.Z, unicode.N) && !strings.ContainsRune("_.:/=+-@", r)
	}
	return utf8.RuneCountInString(s) <= most && !strings.ContainsFunc(s, other)
}

func (v roleRules) transitive(r Role, path string) {
	listed := map[string]bool{}
	for i, key := range r.TransitiveTags {
		at := fault.Item(path+".transitive_tags", i)
		_, ok := r.Tags[key]
		if !ok && !v.Covers(path+".tags") {
			v.fault(at, strconv.Quote(key)+" is not a key of tags", hint.DidYouMean(key, slices.Sorted(maps.Keys(r.Tags))))
		}
		v.check(!listed[key], at, strconv.Quote(key)+" is listed twice", "")
		if listed[key] = true; v.Full() {
			return
		}
	}
}

// chain checks a role against the roles through which it is assumed. The chain must end. A session
// inherits transitive tags and the source identity, and a later hop must not set them again (IAM
// User Guide, "Pass session tags in AWS STS" and "Monitor and control actions taken with assumed
// roles").
func (v roleRules) chain(name, path string) {
	hops := v.Chain(name)
	if len(hops) == 0 {
		return // a role without a name, which has a fault already
	}
	slices.Reverse(hops) // the nearest first
	for _, via := range hops[1:] {
		v.inherited(v.Roles[name], path, via)
	}
	switch before := v.Roles[hops[len(hops)-1]].Via; {
	case before == name && slices.Min(hops) == name: // one fault for the whole circle
		v.fault(path+".via", "the chain "+strings.Join(append(hops, name), ", ")+" never ends", "remove via from one of these roles, so that the chain starts from the ambient credentials")
	case before != "" && !slices.Contains(hops, before):
		v.fault(path+".via", fmt.Sprintf("starts a chain of more than %d roles", maxHops), "use fewer roles")
	}
}

func (v roleRules) inherited(r Role, path, via string) {
	outer := v.Roles[via]
	for _, key := range slices.Sorted(maps.Keys(r.Tags)) {
		same := func(t string) bool { return strings.EqualFold(t, key) }
		v.check(!slices.ContainsFunc(outer.TransitiveTags, same), fault.Child(path+".tags", key),
			"is already a transitive tag of role "+strconv.Quote(via)+", and STS rejects a tag that is set twice", "set it in one of the two roles")
	}
	v.check(r.SourceIdentity == "" || outer.SourceIdentity == "" || r.SourceIdentity == outer.SourceIdentity, path+".source_identity",
		"differs from the source identity of role "+strconv.Quote(via)+", but it must be the same in the whole chain", "set it in the first role only")
}

// isRoleName reports whether s is a valid role name.
func isRoleName(s string) bool { return len(s) <= 63 && ascii.Word(s, "_-") }
