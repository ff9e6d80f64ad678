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
)

func (v *validator) roleNames() []string { return slices.Sorted(maps.Keys(v.Roles)) }

// roles checks every role by itself and along its chain. Bounds without another source are those of the parameters of
// AssumeRole in the AWS STS API reference.
func (v *validator) roles() {
	for _, name := range v.roleNames() {
		path, r := child("roles", name), v.Roles[name]
		v.check(isRoleName(name), path, strconv.Quote(name)+" is not a name for a role", "use 1 to 63 letters, digits, _ and -")
		v.role(r, path)
		v.roleExists(path+".via", r.Via)
		v.chain(name, path)
		if v.full() {
			return
		}
	}
}

func (v *validator) role(r Role, path string) {
	v.check(isRoleARN(r.ARN), path+".arn", strconv.Quote(r.ARN)+" is not the ARN of a role", "use arn:aws:iam::ACCOUNT:role/NAME")
	v.externalID(r.ExternalID, path+".external_id")
	v.sessionWord(path+".session_name", r.SessionName)
	if r.SourceIdentity != "" {
		v.sessionWord(path+".source_identity", r.SourceIdentity)
	}
	v.tags(r, path)
	v.transitive(r, path)
	v.duration(r, path+".duration")
	v.endpoint(path+".endpoint_url", r.EndpointURL)
	v.check(!isS3(r.EndpointURL), path+".endpoint_url", "is an endpoint of S3, and STS is asked there", "leave it out, or use one such as https://sts.us-west-2.amazonaws.com")
	v.exposed(r, path)
	if r.Region != "" {
		v.region(path+".region", r.Region, v.compatible(r.EndpointURL))
	}
}

func (v *validator) externalID(e ExternalID, path string) {
	if e.plain != nil {
		if err := checkExternalID(e.plain.Reveal()); err != nil {
			v.fault(path, "is "+err.Error(), "")
		}
	}
	if e.file != nil {
		v.check(e.file.Reveal() != "", path+".file", "names no file", "")
		v.check(e.file.Reveal() != redacted, path+".file", "is what syncd config show writes in place of a name", "put the name of the file there")
	}
	if e.env != nil {
		v.check(isEnvName(e.env.Reveal()), path+".env", "is not the name of an environment variable", "use letters, digits and _")
	}
}

// sessionWord checks what STS calls RoleSessionName and SourceIdentity, which have the same form.
func (v *validator) sessionWord(path, s string) {
	v.check(len(s) >= 2 && len(s) <= 64 && spelled(s, "_+=,.@-"), path,
		strconv.Quote(s)+" is not 2 to 64 letters, digits and _+=,.@-", "")
}

func (v *validator) duration(r Role, path string) {
	d := r.Duration.Duration()
	v.between(path, r.Duration, 15*time.Minute, 12*time.Hour)
	v.check(d%time.Second == 0, path, r.Duration.String()+" is not whole seconds", "")
	v.check(r.Via == "" || d <= time.Hour, path, r.Duration.String()+" is out of bounds for a role with via",
		"use at most 1h: STS refuses more for a chained role")
}

func (v *validator) tags(r Role, path string) {
	v.check(len(r.Tags) <= 50, path+".tags", fmt.Sprintf("has %d tags", len(r.Tags)), "use at most 50")
	spelling := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(r.Tags)) {
		at := child(path+".tags", key)
		v.check(key != "" && isTagText(key, 128), at, "the key is not 1 to 128 letters, digits, spaces and _.:/=+-@", "")
		v.check(isTagText(r.Tags[key], 256), at, strconv.Quote(r.Tags[key])+" is not up to 256 letters, digits, spaces and _.:/=+-@", "")
		folded := strings.ToLower(key)
		v.check(!strings.HasPrefix(folded, "aws:"), at, "keys that begin with aws: are reserved", "")
		if other, taken := spelling[folded]; taken {
			v.fault(at, "differs from "+strconv.Quote(other)+" only in case, which STS refuses", "keep one of them")
		}
		spelling[folded] = key
	}
}

// isTagText reports whether s is at most most characters of those that the tag patterns of the AWS STS API reference
// let through: [\p{L}\p{Z}\p{N}_.:/=+\-@].
func isTagText(s string, most int) bool {
	other := func(r rune) bool {
		return r == utf8.RuneError || !unicode.In(r, unicode.L, unicode.Z, unicode.N) && !strings.ContainsRune("_.:/=+-@", r)
	}
	return utf8.RuneCountInString(s) <= most && !strings.ContainsFunc(s, other)
}

func (v *validator) transitive(r Role, path string) {
	listed := map[string]bool{}
	for i, key := range r.TransitiveTags {
		at := item(path+".transitive_tags", i)
		_, ok := r.Tags[key]
		if !ok && !v.covers(path+".tags") {
			v.fault(at, strconv.Quote(key)+" is not a key of tags", didYouMean(key, slices.Sorted(maps.Keys(r.Tags))))
		}
		v.check(!listed[key], at, strconv.Quote(key)+" is listed twice", "")
		if listed[key] = true; v.full() {
			return
		}
	}
}

// chain checks a role against those it is reached through: the chain must end, and a session inherits transitive tags
// and the source identity, which a later hop may not set anew (IAM User Guide, "Pass session tags in AWS STS" and
// "Monitor and control actions taken with assumed roles").
func (v *validator) chain(name, path string) {
	r := v.Roles[name]
	hops := []string{name}
	for via := r.Via; via != ""; via = v.Roles[via].Via {
		if via == name && slices.Min(hops) == name {
			v.fault(path+".via", "the chain "+strings.Join(append(hops, name), ", ")+" never ends", "let one of them start from the ambient credentials, without via")
		}
		if slices.Contains(hops, via) {
			return
		}
		if len(hops) > maxHops {
			v.fault(path+".via", fmt.Sprintf("is a chain of more than %d roles before this one", maxHops), "assume it through fewer")
			return
		}
		hops = append(hops, via)
		v.inherited(r, path, via)
	}
}

func (v *validator) inherited(r Role, path, via string) {
	outer := v.Roles[via]
	for _, key := range slices.Sorted(maps.Keys(r.Tags)) {
		same := func(t string) bool { return strings.EqualFold(t, key) }
		v.check(!slices.ContainsFunc(outer.TransitiveTags, same), child(path+".tags", key),
			"is a transitive tag of role "+strconv.Quote(via)+" already, which STS refuses", "set it in one of the two roles")
	}
	v.check(r.SourceIdentity == "" || outer.SourceIdentity == "" || r.SourceIdentity == outer.SourceIdentity, path+".source_identity",
		"differs from that of role "+strconv.Quote(via)+", and it cannot change along a chain", "set it in the first role only")
}
