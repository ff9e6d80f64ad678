package element

import (
	"fmt"
	"slices"
	"strings"

	"syncd/internal/access"
	"syncd/internal/access/lint/catalogue"
	"syncd/internal/access/lint/document"
	"syncd/internal/arn"
	"syncd/internal/iam"
)

// checkPrefix reports an unknown service prefix of an action, and returns whether the prefix
// exists.
func (c *checker) checkPrefix(a *document.Node, service string) bool {
	if access.IsPattern(service) || slices.Contains(c.catalogue.Services, strings.ToLower(service)) {
		return true
	}
	fix := "see the service prefixes in the Service Authorization Reference"
	if meant := catalogue.MeantService(strings.ToLower(service)); meant != "" {
		fix = "write " + meant + ":"
	}
	c.report(unknownService, a, fmt.Sprintf("%s has an unknown service prefix: %s:", a.Text, service), fix)
	return false
}

// checkPastedARN reports an ARN in place of an action, and returns whether a is an ARN.
func (c *checker) checkPastedARN(a *document.Node) bool {
	if !arn.Is(a.Text) {
		return false
	}
	fix := "move it to Resource, and name the actions"
	if c.d.Kind == access.KindTrust {
		fix = "name the actions; the resource is the role itself"
	}
	c.report(arnAsAction, a, "an ARN is used as an action: "+a.Text, fix)
	return true
}

// checkAction checks the name of one action.
func (c *checker) checkAction(a *document.Node) {
	if a.Text == "*" || c.checkPastedARN(a) {
		return
	}
	service, name, ok := strings.Cut(a.Text, ":")
	want := c.d.Kind.Service()
	switch {
	case !ok || service == "" || name == "":
		c.report(unknownAction, a, fmt.Sprintf("%q does not have the form service:action", a.Text), c.meant(want+":"+a.Text[strings.LastIndexAny(a.Text, ".:")+1:]))
	case !c.checkPrefix(a, service):
	case c.foreign(a):
		c.report(wrongService, a, a.Text+" cannot be used in "+c.d.Kind.WithArticle(), rightPlace(service))
	case c.catalogue.Service(service) && len(c.catalogue.Matching(a.Text)) == 0:
		message := "there is no action " + a.Text
		if strings.ContainsAny(a.Text, "*?") {
			message = "no action matches " + a.Text
		}
		c.report(unknownAction, a, message, c.meant(a.Text))
	}
}

func (c *checker) meant(name string) string {
	if meant := c.catalogue.MeantAction(name); meant != "" {
		return "write " + meant
	}
	return "see the actions of the service in the Service Authorization Reference"
}

// rightPlace returns the fix for an action of another service. The fix names the kind of policy in
// which to grant the action.
func rightPlace(service string) string {
	for _, k := range []access.Kind{access.KindBucket, access.KindKey, access.KindTrust, access.KindQueue} {
		if strings.EqualFold(k.Service(), service) {
			return "grant it in " + k.WithArticle() + "; for a principal of another account, also grant it in the identity policy of that principal"
		}
	}
	return "grant it in an identity policy"
}

func (c *checker) checkResource(r *document.Node) {
	if f := resourceFault(r.Text); f.message != "" {
		c.report(nameRule(r.Text, badARN), r, f.message, f.fix)
		return
	}
	if a, ok := arn.Split(r.Text); c.d.Kind.OfResource() && ok && !access.IsPattern(a.Service) && a.Service != c.d.Kind.Service() && c.d.Kind != access.KindTrust {
		c.report(foreignResource, r, "a resource of "+a.Service+" cannot be used in "+c.d.Kind.WithArticle(), "name the resource that the policy is attached to")
	}
}

// checkReach reports actions that do not apply to any resource of the statement. An action with
// wildcards is not reported if at least one action that it matches applies to a resource.
func (c *checker) checkReach(s *document.Statement) {
	if len(s.Resources) == 0 || c.d.Kind == access.KindTrust {
		return
	}
	for _, r := range s.Resources {
		if resourceFault(r.Text).message != "" {
			return
		}
	}
	for _, a := range s.Actions {
		acts := c.catalogue.Matching(a.Text)
		reached := len(acts) == 0 || c.foreign(a)
		for _, act := range acts {
			reached = reached || slices.ContainsFunc(s.Resources, func(r *document.Node) bool { return document.ActsOn(act.On, r.Text) })
		}
		if !reached {
			message, fix := mismatch(acts[0], s.Resources[0].Text)
			c.report(resourceMismatch, a, message, fix)
		}
	}
}

// foreign reports whether the action belongs to a different service than the kind of policy, such
// as an s3 action in a key policy.
func (c *checker) foreign(a *document.Node) bool {
	service, _, _ := strings.Cut(a.Text, ":")
	want := c.d.Kind.Service()
	return want != "" && !strings.EqualFold(service, want)
}

// mismatch returns the message and the fix for an action that applies to none of the statement's
// resources. They name the type of resource that the action applies to, and the resource to add.
func mismatch(a iam.KnownAction, resource string) (message, fix string) {
	bucketARN := "arn:aws:s3:::NAME"
	if r, _ := arn.Split(resource); r.Service == "s3" {
		bucketARN = arn.Bucket(r.Partition, arn.BucketOf(resource))
	}
	switch a.On {
	case "bucket":
		return a.Name + " applies to a bucket, but the statement has no bucket as a resource", "add " + bucketARN
	case "object":
		return a.Name + " applies to objects, but the statement has no objects as a resource", "add " + arn.Object(bucketARN, "*")
	case "key":
		return a.Name + " applies to a KMS key, but the statement has no key as a resource", "add the key's ARN: an alias does not represent its key in policies"
	case "role":
		return a.Name + " applies to a role, but the statement has no role as a resource", "add arn:aws:iam::111111111111:role/NAME"
	case "queue":
		return a.Name + " applies to a queue, but the statement has no queue as a resource", "add the queue's ARN"
	}
	return a.Name + " does not apply to a specific resource", `move the action to a separate statement with "Resource": "*"`
}
