package access

import (
	"maps"
	"slices"
	"strings"
)

// checkReaders finds principals that may read and not write, but may destroy or hand on.
func (c *dangerChecker) checkReaders() {
	reading, writing, further := readerActions(c.d.kind)
	allowed := map[string][]*node{}
	for _, s := range c.d.policy.statements {
		for _, p := range s.principals {
			if s.effect == "Allow" && p.kind == "AWS" && p.id.text != "*" {
				allowed[p.id.text] = append(allowed[p.id.text], s.actions...)
			}
		}
	}
	reported := map[*node]bool{}
	for _, id := range slices.Sorted(maps.Keys(allowed)) {
		if !allowsAny(allowed[id], reading) || allowsAny(allowed[id], writing) {
			continue
		}
		for _, a := range allowed[id] {
			if !reported[a] && allowsAny([]*node{a}, further) {
				reported[a] = true
				c.report(readerMayChange, a, id+" reads and does not write, and has "+a.text, "remove "+a.text+": reading does not need it")
			}
		}
	}
}

// readerActions are those by which a reader is known, those by which a writer is, and those that a reader should not have.
func readerActions(k Kind) (reading, writing, further []string) {
	if k == KindKey {
		return []string{"kms:Decrypt"}, []string{"kms:Encrypt", "kms:GenerateDataKey"}, []string{
			"kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:CreateGrant", "kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:PutKeyPolicy",
		}
	}
	return []string{"s3:GetObject", "s3:ListBucket"}, []string{"s3:PutObject"}, []string{
		"s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:DeleteBucket",
		"s3:PutObjectAcl", "s3:PutBucketAcl", "s3:PutLifecycleConfiguration", "s3:PutEncryptionConfiguration",
		"s3:PutReplicationConfiguration", "s3:BypassGovernanceRetention",
	}
}

func allowsAny(patterns []*node, actions []string) bool {
	return slices.ContainsFunc(patterns, func(p *node) bool {
		return slices.ContainsFunc(actions, func(a string) bool { return covers(strings.ToLower(p.text), strings.ToLower(a)) })
	})
}
