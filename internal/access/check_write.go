package access

import (
	"slices"
	"strings"
)

// checkForeignRoot finds a whole other account that may write, or encrypt under the key, without any condition.
func (c *checker) checkForeignRoot(s *statement) {
	if len(s.clauses) > 0 {
		return
	}
	changing := changingActions(c.d.kind)
	i := slices.IndexFunc(s.actions, func(a *node) bool {
		return a.text != "*" && !strings.HasSuffix(a.text, ":*") && allowsAny([]*node{a}, changing) // those are full-access
	})
	if i < 0 {
		return
	}
	own := c.ownAccount()
	for _, p := range s.principals {
		account := accountOfPrincipal(p.id.text)
		if p.kind != "AWS" || !isRoot(p.id.text) || account == own {
			continue
		}
		message := s.actions[i].text + " for everyone to whom the administrators of account " + account + " give it"
		if own == "" {
			message += ", if that is not the owner's own"
		}
		c.report(foreignRoot, s.actions[i], message, "name the role that should, or add a condition, as on aws:PrincipalArn"+map[bool]string{true: " or kms:ViaService"}[c.d.kind == KindKey])
		return
	}
}

// changingActions are those that change what is stored, or that put data under a key that its owner did not mean.
func changingActions(k Kind) []string {
	switch k { //nolint:exhaustive // the kinds whose resources others store data in or under
	case KindKey:
		return []string{
			"kms:Encrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:CreateGrant", "kms:PutKeyPolicy",
			"kms:ScheduleKeyDeletion", "kms:DisableKey",
		}
	case KindBucket, KindAccessPoint:
		return []string{
			"s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObjectAcl", "s3:PutObjectTagging", "s3:RestoreObject",
			"s3:ReplicateObject", "s3:ReplicateDelete", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:PutLifecycleConfiguration",
			"s3:PutEncryptionConfiguration", "s3:PutBucketAcl", "s3:DeleteBucket", "s3:BypassGovernanceRetention",
		}
	}
	return nil
}

// checkNotPrincipal holds a Deny with NotPrincipal to what AWS compares: the account, the role and the session ("AWS JSON policy
// elements: NotPrincipal", IAM User Guide). What is not listed of these is denied, though it belongs to one that is.
func (c *checker) checkNotPrincipal(s *statement) {
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
func (c *checker) checkDeniesParts(s *statement) {
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
		case cl.asksForHeader():
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

// holdsWithout is true of a clause that holds when the request lacks the key.
func (cl clause) holdsWithout() bool {
	if cl.family == "Null" {
		return slices.ContainsFunc(cl.values, func(v *node) bool { return v.text == "true" })
	}
	return cl.negated || cl.ifExists
}

// asksForHeader is true of a clause that only a request with a header passes which neither parts nor their completion carry.
func (cl clause) asksForHeader() bool {
	key := strings.ToLower(cl.key.text)
	header := strings.HasPrefix(key, "s3:x-amz-") || strings.HasPrefix(key, "s3:requestobjecttag") || strings.HasPrefix(key, "s3:object-lock-")
	carried := slices.Contains([]string{"s3:x-amz-content-sha256", "s3:x-amz-copy-source", "s3:x-amz-server-side-encryption-customer-algorithm"}, key)
	asks := cl.demands() || cl.family == "Null" && !cl.holdsWithout()
	return header && !carried && asks
}
