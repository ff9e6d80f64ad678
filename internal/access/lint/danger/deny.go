package danger

import (
	"slices"
	"strings"

	"syncd/internal/access"
	"syncd/internal/access/lint/document"
	"syncd/internal/arn"
)

// sparing reports whether a condition on the key can exempt requests of AWS services from a Deny
// statement.
func sparing(key string) bool {
	return slices.Contains([]string{
		"aws:principalisawsservice", "aws:viaawsservice", "aws:principalservicename", "aws:principalservicenameslist", "aws:calledvia",
		"aws:calledviafirst", "aws:calledvialast",
	}, strings.ToLower(key))
}

// checkDeniesServices reports a Deny statement whose condition uses keys that requests of AWS
// services lack. Requests of a service principal have no aws:PrincipalOrgID. Requests that a
// service makes with the caller's credentials do not come through the caller's VPC endpoint.
func (c *checker) checkDeniesServices(s *document.Statement) {
	keys := []string{"aws:sourcevpce", "aws:sourcevpc", "aws:sourceip", "aws:vpcsourceip"}
	if c.d.Kind.OfResource() || c.d.Kind == access.KindResourceControl {
		keys = append(keys, "aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount")
	}
	if c.d.Kind == access.KindTrust || c.d.Kind.OfResource() && !s.ConcernsAll() {
		return
	}
	for _, cl := range s.Clauses {
		if sparing(cl.Key.Text) {
			return
		}
	}
	for _, cl := range s.Clauses {
		if cl.Negated && slices.Contains(keys, strings.ToLower(cl.Key.Text)) && !s.Guarded(cl.Key.Text) {
			c.report(deniesServices, cl.Key, "requests of AWS services do not contain your "+cl.Key.Text+" and are denied too",
				`add {"BoolIfExists": {"aws:PrincipalIsAWSService": "false", "aws:ViaAWSService": "false"}}`)
			return
		}
	}
}

// checkLockOut reports a Deny statement that covers the permission to change the policy itself.
func (c *checker) checkLockOut(s *document.Statement) {
	own := map[access.Kind]string{access.KindBucket: "s3:PutBucketPolicy", access.KindKey: "kms:PutKeyPolicy", access.KindQueue: "sqs:SetQueueAttributes"}[c.d.Kind]
	if own == "" || !s.ConcernsAll() || !s.Mentions(own) {
		return
	}
	onBucket := func(r *document.Node) bool { return document.ActsOn("bucket", r.Text) }
	if c.d.Kind == access.KindBucket && len(s.Resources) > 0 && !slices.ContainsFunc(s.Resources, onBucket) {
		return
	}
	for _, cl := range s.Clauses {
		if !sparing(cl.Key.Text) && !sparesFew(cl) {
			return
		}
	}
	if slices.ContainsFunc(s.NotPrincipals, func(p document.Principal) bool { return p.IsRoot() }) {
		return
	}
	c.report(lockOut, s.Find("Action", "NotAction"), "the Deny covers "+own+" for everyone except the principals that the statement exempts",
		"exclude "+own+" and similar actions from the Deny, or also exempt an administrator and the root of the account")
}

// sparesFew reports whether a clause of a Deny statement exempts only named callers or networks.
func sparesFew(cl document.Clause) bool {
	key := strings.ToLower(cl.Key.Text)
	few := strings.HasPrefix(key, "aws:principaltag/") ||
		slices.Contains([]string{"aws:principalarn", "aws:userid", "aws:username", "aws:sourcevpce", "aws:sourcevpc", "aws:sourceip"}, key)
	root := func(v *document.Node) bool { return strings.HasSuffix(v.Text, ":root") }
	return few && cl.Negated && !slices.ContainsFunc(cl.Values, root)
}

// checkNotPrincipal checks a Deny with NotPrincipal. AWS compares the account, the role and the
// session separately (IAM User Guide, "AWS JSON policy elements: NotPrincipal"). AWS denies the
// request if any of the three is not listed, even if the other two are.
func (c *checker) checkNotPrincipal(s *document.Statement) {
	listed := func(match func(a arn.ARN) bool) bool {
		return slices.ContainsFunc(s.NotPrincipals, func(p document.Principal) bool {
			a, _ := arn.Split(p.ID.Text)
			return p.Kind == "AWS" && match(a)
		})
	}
	for _, p := range s.NotPrincipals {
		a, _ := arn.Split(p.ID.Text)
		kind, name := arn.Kind(p.ID.Text), arn.Name(p.ID.Text)
		if p.Kind != "AWS" || name == "" || kind != "role" && kind != "user" && kind != "assumed-role" {
			continue
		}
		session := kind != "role" || listed(func(o arn.ARN) bool {
			return o.Account == a.Account && strings.HasPrefix(o.Resource, "assumed-role/"+name+"/")
		})
		account := listed(func(o arn.ARN) bool { return o.Account == a.Account && o.IsRoot() }) ||
			slices.ContainsFunc(s.NotPrincipals, func(o document.Principal) bool { return o.ID.Text == a.Account })
		var missing []string
		if !session {
			missing = append(missing, arn.Session(p.ID.Text, "SESSION"))
		}
		if !account {
			missing = append(missing, arn.Root(a.Partition, a.Account))
		}
		if len(missing) > 0 {
			c.report(notPrincipalDeny, p.ID, "the Deny exempts "+p.ID.Text+" but not "+strings.Join(missing, ", ")+", so it denies requests that it should exempt",
				`write "Principal": "*" with {"ArnNotEquals": {"aws:PrincipalArn": "`+p.ID.Text+`"}}, which also exempts the sessions of a role`)
			return
		}
	}
}

// checkDeniesParts reports a Deny statement for writes without an encryption header that also
// applies to uploads of parts. UploadPart, UploadPartCopy and CompleteMultipartUpload require
// s3:PutObject and cannot have the header, which belongs to CreateMultipartUpload (Amazon S3 API
// Reference, UploadPart; Amazon S3 User Guide, "Uploading and copying objects using multipart
// upload").
func (c *checker) checkDeniesParts(s *document.Statement) {
	if !s.Mentions("s3:PutObject") {
		return
	}
	var found *document.Clause
	for i := range s.Clauses {
		cl := &s.Clauses[i]
		key := strings.ToLower(cl.Key.Text)
		switch onEncryption := key == access.EncryptionHeader || key == access.EncryptionKeyHeader; {
		case onEncryption && cl.HoldsWithout():
			found = cl
		case asksForHeader(*cl):
			return // the clause never matches requests for parts, which have no such header
		}
	}
	if found == nil {
		return
	}
	key := found.Key.Text
	fix := `add {"Null": {"` + key + `": "false"}}`
	if found.Family == "Null" {
		fix = `deny with {"StringNotEquals": {"` + key + `": "..."}, "Null": {"` + key + `": "false"}} instead`
	}
	c.report(deniesParts, found.Key, "the Deny may also apply to UploadPart, UploadPartCopy and CompleteMultipartUpload, which require s3:PutObject but cannot have the header "+
		strings.TrimPrefix(key, "s3:"), fix+", and set the bucket's default encryption for requests that specify none")
}

// asksForHeader reports whether the clause requires a header that requests to upload or complete
// parts do not have.
func asksForHeader(cl document.Clause) bool {
	key := strings.ToLower(cl.Key.Text)
	header := strings.HasPrefix(key, "s3:x-amz-") || strings.HasPrefix(key, "s3:requestobjecttag") || strings.HasPrefix(key, "s3:object-lock-")
	carried := slices.Contains([]string{"s3:x-amz-content-sha256", "s3:x-amz-copy-source", "s3:x-amz-server-side-encryption-customer-algorithm"}, key)
	asks := cl.Demands() || cl.Family == "Null" && !cl.HoldsWithout()
	return header && !carried && asks
}
