package access

import (
	"fmt"
	"slices"
	"strings"

	"syncd/internal/iam"
)

// checkStatement judges a statement by itself.
func (c *checker) checkStatement(s *statement) {
	c.checkShape(s)
	for _, a := range slices.Concat(s.actions, s.notActions) {
		c.checkAction(a)
	}
	for _, r := range slices.Concat(s.resources, s.notResources) {
		c.checkResource(r)
	}
	for _, p := range slices.Concat(s.principals, s.notPrincipals) {
		if f := principalFault(p); f.message != "" {
			c.report(nameRule(p.id.text, badPrincipal), p.id, f.message, f.fix)
		}
	}
	c.checkReach(s)
	c.checkClauses(s)
	c.checkCarried(s)
	c.checkOptionalTags(s)
	c.checkControl(s)
	c.checkPlaceholders(s)
	c.checkVariables(s)
	c.checkDanger(s)
}

// checkShape knows which elements the kind of policy has to have, and which it must not.
func (c *checker) checkShape(s *statement) {
	kind := c.d.kind
	odd := func(r rune) bool { return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') }
	if strings.ContainsFunc(s.sid, odd) && (kind == KindTrust || !kind.ofResource()) {
		c.report(badSid, s.find("Sid"), "the Sid has characters other than letters and digits", "leave them out, and write words LikeThis")
	}
	c.checkNamed(s)
	if !s.has("Action") && !s.has("NotAction") {
		c.report(missingElement, s.node, "the statement has no Action", `add "Action": [...]`)
	}
	switch resource := s.has("Resource") || s.has("NotResource"); {
	case resource && kind == KindTrust:
		c.report(misplacedResource, s.find("Resource", "NotResource"), "Resource has no place in a trust policy", "remove it: the resource is the role itself")
	case !resource && kind == KindKey:
		c.report(missingElement, s.node, "the statement has no Resource, and so no effect", `add "Resource": "*", which in a key policy is this key`)
	case !resource && kind != KindTrust:
		c.report(missingElement, s.node, "the statement has no Resource", `add "Resource": [...]`)
	}
}

// checkNamed knows which kinds of policy name principals, and how.
func (c *checker) checkNamed(s *statement) {
	kind, named := c.d.kind, s.has("Principal") || s.has("NotPrincipal")
	switch {
	case kind == KindResourceControl && named: // checkControl knows what it may say
	case named && !kind.ofResource():
		c.report(misplacedPrincipal, s.find("Principal", "NotPrincipal"), "Principal has no place in "+kind.policyOf(),
			"remove it: the policy is about the principal it is attached to; or is this the policy of a bucket, key, queue or role?")
	case !named && kind == KindResourceControl:
		c.report(missingPrincipal, s.node, "the statement of "+kind.policyOf()+" has no Principal", `add "Principal": "*"`)
	case !named && kind.ofResource():
		c.report(missingPrincipal, s.node, "the statement of "+kind.policyOf()+" has no Principal", `add "Principal": {"AWS": "arn:aws:iam::111111111111:role/NAME"}`)
	case kind == KindTrust && s.has("NotPrincipal"):
		c.report(notPrincipalTrust, s.find("NotPrincipal"), "NotPrincipal has no place in a trust policy",
			`name with Principal who may assume the role; to spare some from a Deny write "Principal": "*" with a condition on aws:PrincipalArn`)
	case s.effect == "Allow" && s.has("NotPrincipal"):
		c.report(notPrincipalAllow, s.find("NotPrincipal"), "NotPrincipal beside Allow lets in everyone who is not listed", "name with Principal who is meant")
	}
}

// checkAction judges the name of one action.
func (c *checker) checkAction(a *node) {
	if a.text == "*" || c.checkPastedARN(a) {
		return
	}
	service, name, ok := strings.Cut(a.text, ":")
	want := c.d.kind.service()
	switch {
	case !ok || service == "" || name == "":
		c.report(unknownAction, a, fmt.Sprintf("%q is not service:action", a.text), c.meant(want+":"+a.text[strings.LastIndexAny(a.text, ".:")+1:]))
	case !c.checkPrefix(a, service):
	case c.foreign(a):
		c.report(wrongService, a, a.text+" has no place in "+c.d.kind.policyOf(), rightPlace(service))
	case c.catalogue.Service(service) && len(c.catalogue.Matching(a.text)) == 0:
		message := "there is no action " + a.text
		if strings.ContainsAny(a.text, "*?") {
			message = "no action matches " + a.text
		}
		c.report(unknownAction, a, message, c.meant(a.text))
	}
}

func (c *checker) meant(name string) string {
	if meant := c.catalogue.meantAction(name); meant != "" {
		return "write " + meant
	}
	return "see the actions of the service in the Service Authorization Reference"
}

// rightPlace says where an action of another service is granted.
func rightPlace(service string) string {
	for _, k := range []Kind{KindBucket, KindKey, KindTrust, KindQueue} {
		if strings.EqualFold(k.service(), service) {
			return "grant it in " + k.policyOf() + ", and to who is in another account in its identity policy too"
		}
	}
	return "grant it in an identity policy"
}

func (c *checker) checkResource(r *node) {
	if f := resourceFault(r.text); f.message != "" {
		c.report(nameRule(r.text, badARN), r, f.message, f.fix)
		return
	}
	if a := parseARN(r.text); c.d.kind.ofResource() && a.whole && !wild(a.service) && a.service != c.d.kind.service() && c.d.kind != KindTrust {
		c.report(foreignResource, r, "a resource of "+a.service+" in "+c.d.kind.policyOf(), "name the resource that the policy is attached to")
	}
}

// checkReach finds actions that none of the statement's resources can be acted on with. A pattern of actions reaches when one of them
// does.
func (c *checker) checkReach(s *statement) {
	if len(s.resources) == 0 || c.d.kind == KindTrust {
		return
	}
	for _, r := range s.resources {
		if resourceFault(r.text).message != "" {
			return
		}
	}
	for _, a := range s.actions {
		acts := c.catalogue.Matching(a.text)
		reached := len(acts) == 0 || c.foreign(a)
		for _, act := range acts {
			reached = reached || slices.ContainsFunc(s.resources, func(r *node) bool { return acted(act.On, r.text) })
		}
		if !reached {
			message, fix := mismatch(acts[0], s.resources[0].text)
			c.report(resourceMismatch, a, message, fix)
		}
	}
}

// foreign is true of an action that the kind of policy is not about, which is a finding of its own.
func (c *checker) foreign(a *node) bool {
	service, _, _ := strings.Cut(a.text, ":")
	want := c.d.kind.service()
	return want != "" && !strings.EqualFold(service, want)
}

// acted reports whether an action on a type of resource can be about a resource that the pattern matches.
func acted(on, pattern string) bool {
	a := parseARN(pattern)
	if pattern == "*" || on == "other" || !a.whole {
		return true
	}
	name, _, slashed := strings.Cut(a.resource, "/")
	if a.service == "s3" && name == "accesspoint" {
		_, slashed = strings.CutPrefix(a.resource, "accesspoint/")
		slashed = slashed && strings.Contains(a.resource, "/object")
	}
	switch on {
	case "bucket":
		return service(a, "s3") && !slashed
	case "object":
		return service(a, "s3") && (slashed || strings.Contains(a.resource, "*"))
	case "key":
		return service(a, "kms") && (name == "key" || strings.HasPrefix(a.resource, "*"))
	case "role":
		return service(a, "iam") && (name == "role" || strings.HasPrefix(a.resource, "*"))
	case "queue":
		return service(a, "sqs")
	}
	return false
}

func service(a arn, want string) bool { return a.service == want || wild(a.service) }

// mismatch tells what an action acts on.
func mismatch(a iam.KnownAction, resource string) (message, fix string) {
	r := parseARN(resource)
	bucket, _, _ := strings.Cut(r.resource, "/")
	bucketARN := "arn:" + r.partition + ":s3:::" + bucket
	if r.service != "s3" {
		bucketARN = "arn:aws:s3:::NAME"
	}
	switch a.On {
	case "bucket":
		return a.Name + " acts on a bucket, and no resource of the statement is one", "add " + bucketARN
	case "object":
		return a.Name + " acts on objects, and no resource of the statement is about any", "add " + bucketARN + "/*"
	case "key":
		return a.Name + " acts on a KMS key, and no resource of the statement is one", "add the key's ARN: an alias does not stand for its key"
	case "role":
		return a.Name + " acts on a role, and no resource of the statement is one", "add arn:aws:iam::111111111111:role/NAME"
	case "queue":
		return a.Name + " acts on a queue, and no resource of the statement is one", "add the queue's ARN"
	}
	return a.Name + " acts on no resource in particular", `give it a statement with "Resource": "*"`
}

// checkVariables looks at ${...} where it is one, and where it should be.
func (c *checker) checkVariables(s *statement) {
	values := slices.Concat(s.resources, s.notResources)
	for _, cl := range s.clauses {
		if cl.family == "String" || cl.family == "ARN" {
			values = append(values, cl.values...)
		}
	}
	for _, v := range values {
		if strings.Contains(v.text, "${") {
			c.checkVariable(v)
		}
	}
}

func (c *checker) checkVariable(v *node) {
	if c.d.policy.version != "2012-10-17" {
		c.report(oldVersion, v, "the variable in "+v.text+" is plain text without \"Version\": \"2012-10-17\"", `add "Version": "2012-10-17" to the policy`)
		return
	}
	for rest := v.text; ; {
		_, after, ok := strings.Cut(rest, "${")
		if !ok {
			return
		}
		body, next, closed := strings.Cut(after, "}")
		name, _, _ := strings.Cut(body, ",")
		switch {
		case !closed:
			c.report(badVariable, v, "a variable in "+v.text+" is not closed", "write } at its end")
			return
		case body != "*" && body != "?" && body != "$" && !strings.Contains(name, ":"):
			c.report(badVariable, v, "${"+body+"} names no condition key", "write a key with its service, like ${aws:PrincipalTag/team}; "+
				"if a template should have filled it in, render it first")
			return
		}
		rest = next
	}
}
