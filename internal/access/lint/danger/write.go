package danger

import (
	"slices"
	"strings"

	"syncd/internal/access"
	"syncd/internal/access/lint/document"
)

// checkForeignRoot reports a statement that allows the root of another account to write, or to
// encrypt with the key, without any condition.
func (c *checker) checkForeignRoot(s *document.Statement) {
	if len(s.Clauses) > 0 {
		return
	}
	changing := changingActions(c.d.Kind)
	i := slices.IndexFunc(s.Actions, func(a *document.Node) bool {
		return a.Text != "*" && !strings.HasSuffix(a.Text, ":*") && allowsAny([]*document.Node{a}, changing) // * and s3:* are reported as full-access
	})
	if i < 0 {
		return
	}
	own := c.d.OwnAccount(c.config)
	for _, p := range s.Principals {
		account := p.Account()
		if p.Kind != "AWS" || !p.IsRoot() || account == own {
			continue
		}
		message := s.Actions[i].Text + " is allowed for every principal that the administrators of account " + account + " grant it to"
		if own == "" {
			message += "; this is intended only if that account owns the resource"
		}
		c.report(foreignRoot, s.Actions[i], message, "name the intended role, or add a condition, for example on aws:PrincipalArn"+map[bool]string{true: " or kms:ViaService"}[c.d.Kind == access.KindKey])
		return
	}
}

// changingActions returns the actions with which a principal can change or delete a bucket or a
// key, change the data in the bucket, or encrypt data with the key. It returns nil for other kinds
// of policy.
func changingActions(k access.Kind) []string {
	switch k { //nolint:exhaustive // the kinds whose resources store or encrypt data of others
	case access.KindKey:
		return []string{
			"kms:Encrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:CreateGrant", "kms:PutKeyPolicy",
			"kms:ScheduleKeyDeletion", "kms:DisableKey",
		}
	case access.KindBucket, access.KindAccessPoint:
		return []string{
			"s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObjectAcl", "s3:PutObjectTagging", "s3:RestoreObject",
			"s3:ReplicateObject", "s3:ReplicateDelete", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:PutLifecycleConfiguration",
			"s3:PutEncryptionConfiguration", "s3:PutBucketAcl", "s3:DeleteBucket", "s3:BypassGovernanceRetention",
		}
	}
	return nil
}
