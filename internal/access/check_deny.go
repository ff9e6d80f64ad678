package access

import (
	"slices"
	"strings"
)

// sparing is true of a key by which a deny can spare AWS services.
func sparing(key string) bool {
	return slices.Contains([]string{
		"aws:principalisawsservice", "aws:viaawsservice", "aws:principalservicename", "aws:principalservicenameslist", "aws:calledvia",
		"aws:calledviafirst", "aws:calledvialast",
	}, strings.ToLower(key))
}

// checkDeniesServices knows the keys that requests of AWS services lack: a service with its own principal has no organization, and one
// that acts with the caller's credentials comes from no endpoint of the caller's.
func (c *dangerChecker) checkDeniesServices(s *statement) {
	keys := []string{"aws:sourcevpce", "aws:sourcevpc", "aws:sourceip", "aws:vpcsourceip"}
	if c.d.kind.ofResource() || c.d.kind == KindResourceControl {
		keys = append(keys, "aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount")
	}
	if c.d.kind == KindTrust || c.d.kind.ofResource() && !s.concernsAll() {
		return
	}
	for _, cl := range s.clauses {
		if sparing(cl.key.text) {
			return
		}
	}
	for _, cl := range s.clauses {
		if cl.negated && slices.Contains(keys, strings.ToLower(cl.key.text)) && !s.guarded(cl.key.text) {
			c.report(deniesServices, cl.key, "requests of AWS services carry no "+cl.key.text+" of yours, and are denied too",
				`add {"BoolIfExists": {"aws:PrincipalIsAWSService": "false", "aws:ViaAWSService": "false"}}`)
			return
		}
	}
}

// checkLockOut finds a deny that covers the right to change the policy itself.
func (c *dangerChecker) checkLockOut(s *statement) {
	own := map[Kind]string{KindBucket: "s3:PutBucketPolicy", KindKey: "kms:PutKeyPolicy", KindQueue: "sqs:SetQueueAttributes"}[c.d.kind]
	if own == "" || !s.concernsAll() || !s.mentions(own) {
		return
	}
	onBucket := func(r *node) bool { return acted("bucket", r.text) }
	if c.d.kind == KindBucket && len(s.resources) > 0 && !slices.ContainsFunc(s.resources, onBucket) {
		return
	}
	for _, cl := range s.clauses {
		if !sparing(cl.key.text) && !sparesFew(cl) {
			return
		}
	}
	if slices.ContainsFunc(s.notPrincipals, func(p principal) bool { return p.isRoot() }) {
		return
	}
	c.report(lockOut, s.find("Action", "NotAction"), "the deny covers "+own+" for everyone but those whom the statement spares",
		"leave "+own+" and its like out of the deny, or spare an administrator and the root of the account too")
}

// sparesFew is true of a clause of a deny that spares named callers or networks only.
func sparesFew(cl clause) bool {
	key := strings.ToLower(cl.key.text)
	few := strings.HasPrefix(key, "aws:principaltag/") ||
		slices.Contains([]string{"aws:principalarn", "aws:userid", "aws:username", "aws:sourcevpce", "aws:sourcevpc", "aws:sourceip"}, key)
	root := func(v *node) bool { return strings.HasSuffix(v.text, ":root") }
	return few && cl.negated && !slices.ContainsFunc(cl.values, root)
}

// checkNotPrincipal holds a Deny with NotPrincipal to what AWS compares: the account, the role and the session ("AWS JSON policy
// elements: NotPrincipal", IAM User Guide). What is not listed of these is denied, though it belongs to one that is.
func (c *dangerChecker) checkNotPrincipal(s *statement) {
	listed := func(match func(a arn) bool) bool {
		return slices.ContainsFunc(s.notPrincipals, func(p principal) bool { return p.kind == "AWS" && match(parseARN(p.id.text)) })
	}
	for _, p := range s.notPrincipals {
		a := parseARN(p.id.text)
		kind, name, _ := strings.Cut(a.resource, "/")
		if p.kind != "AWS" || !a.whole || kind != "role" && kind != "user" && kind != "assumed-role" {
			continue
		}
		name = name[strings.LastIndexByte(name, '/')+1:]
		session := kind != "role" || listed(func(o arn) bool {
			return o.account == a.account && strings.HasPrefix(o.resource, "assumed-role/"+name+"/")
		})
		account := listed(func(o arn) bool { return o.account == a.account && o.resource == "root" }) ||
			slices.ContainsFunc(s.notPrincipals, func(o principal) bool { return o.id.text == a.account })
		var missing []string
		if !session {
			missing = append(missing, "arn:"+a.partition+":sts::"+a.account+":assumed-role/"+name+"/SESSION")
		}
		if !account {
			missing = append(missing, "arn:"+a.partition+":iam::"+a.account+":root")
		}
		if len(missing) > 0 {
			c.report(notPrincipalDeny, p.id, "the deny spares "+p.id.text+" and not "+strings.Join(missing, ", ")+", and so hits those whom it means to spare",
				`write "Principal": "*" with {"ArnNotEquals": {"aws:PrincipalArn": "`+p.id.text+`"}}, which a session of a role passes too`)
			return
		}
	}
}

// checkDeniesParts finds a deny of writes without an encryption header that looks at parts too: UploadPart, UploadPartCopy and
// CompleteMultipartUpload ask for s3:PutObject and cannot have the header, which belongs to CreateMultipartUpload (Amazon S3 API
// Reference, UploadPart; Amazon S3 User Guide, "Uploading and copying objects using multipart upload").
func (c *dangerChecker) checkDeniesParts(s *statement) {
	if !s.mentions("s3:PutObject") {
		return
	}
	var found *clause
	for i := range s.clauses {
		cl := &s.clauses[i]
		key := strings.ToLower(cl.key.text)
		switch onEncryption := key == encryptionKey || key == encryptionKMSKey; {
		case onEncryption && cl.holdsWithout():
			found = cl
		case asksForHeader(*cl):
			return // a part has no such header: the deny does not look at it
		}
	}
	if found == nil {
		return
	}
	key := found.key.text
	fix := `add {"Null": {"` + key + `": "false"}}`
	if found.family == "Null" {
		fix = `deny with {"StringNotEquals": {"` + key + `": "..."}, "Null": {"` + key + `": "false"}} instead`
	}
	c.report(deniesParts, found.key, "the deny may also hit UploadPart, UploadPartCopy and CompleteMultipartUpload, which ask for s3:PutObject and cannot carry "+
		strings.TrimPrefix(key, "s3:"), fix+", and set the bucket's default encryption for requests that name none")
}

// asksForHeader is true of a clause that only a request with a header passes which neither parts nor their completion carry.
func asksForHeader(cl clause) bool {
	key := strings.ToLower(cl.key.text)
	header := strings.HasPrefix(key, "s3:x-amz-") || strings.HasPrefix(key, "s3:requestobjecttag") || strings.HasPrefix(key, "s3:object-lock-")
	carried := slices.Contains([]string{"s3:x-amz-content-sha256", "s3:x-amz-copy-source", "s3:x-amz-server-side-encryption-customer-algorithm"}, key)
	asks := cl.demands() || cl.family == "Null" && !cl.holdsWithout()
	return header && !carried && asks
}
