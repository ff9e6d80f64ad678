package danger

import (
	"maps"
	"slices"
	"strings"

	"syncd/internal/access"
	"syncd/internal/access/lint/document"
)

// checkReaders reports principals that can read but cannot write, and that have permissions to
// delete or share data.
func (c *checker) checkReaders() {
	reading, writing, further := readerActions(c.d.Kind)
	allowed := map[string][]*document.Node{}
	for _, s := range c.d.Policy.Statements {
		for _, p := range s.Principals {
			if s.Effect == "Allow" && p.Kind == "AWS" && p.ID.Text != "*" {
				allowed[p.ID.Text] = append(allowed[p.ID.Text], s.Actions...)
			}
		}
	}
	reported := map[*document.Node]bool{}
	for _, id := range slices.Sorted(maps.Keys(allowed)) {
		if !allowsAny(allowed[id], reading) || allowsAny(allowed[id], writing) {
			continue
		}
		for _, a := range allowed[id] {
			if !reported[a] && allowsAny([]*document.Node{a}, further) {
				reported[a] = true
				c.report(readerMayChange, a, id+" reads but does not write, yet it has the permission "+a.Text, "remove "+a.Text+": reading does not need it")
			}
		}
	}
}

// readerActions returns three lists of actions: reading identifies a reader, writing identifies a
// writer, and a reader should not have the actions in further.
func readerActions(k access.Kind) (reading, writing, further []string) {
	if k == access.KindKey {
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

func allowsAny(patterns []*document.Node, actions []string) bool {
	return slices.ContainsFunc(patterns, func(p *document.Node) bool {
		return slices.ContainsFunc(actions, func(a string) bool { return document.Covers(strings.ToLower(p.Text), strings.ToLower(a)) })
	})
}
