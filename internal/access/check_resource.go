package access

import (
	"fmt"
	"slices"
	"strings"

	"syncd/internal/iam"
)

// checkPrefix judges the service of an action, and reports whether there is such a one.
func (c *elementChecker) checkPrefix(a *node, service string) bool {
	if wild(service) || slices.Contains(c.catalogue.services, strings.ToLower(service)) {
		return true
	}
	fix := "see the service prefixes in the Service Authorization Reference"
	if meant := meantService(strings.ToLower(service)); meant != "" {
		fix = "write " + meant + ":"
	}
	c.report(unknownService, a, fmt.Sprintf("%s names no service: there is no prefix %s:", a.text, service), fix)
	return false
}

// checkPastedARN finds an ARN where an action belongs, and reports whether it did.
func (c *elementChecker) checkPastedARN(a *node) bool {
	if !strings.HasPrefix(a.text, "arn:") {
		return false
	}
	fix := "move it to Resource, and name the actions"
	if c.d.kind == KindTrust {
		fix = "name the actions; the role itself is the resource"
	}
	c.report(arnAsAction, a, "an ARN stands among the actions: "+a.text, fix)
	return true
}

// checkAction judges the name of one action.
func (c *elementChecker) checkAction(a *node) {
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

func (c *elementChecker) meant(name string) string {
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

func (c *elementChecker) checkResource(r *node) {
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
func (c *elementChecker) checkReach(s *statement) {
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
func (c *elementChecker) foreign(a *node) bool {
	service, _, _ := strings.Cut(a.text, ":")
	want := c.d.kind.service()
	return want != "" && !strings.EqualFold(service, want)
}

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
