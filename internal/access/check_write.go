package access

import (
	"slices"
	"strings"
)

// checkForeignRoot finds a whole other account that may write, or encrypt under the key, without any condition.
func (c *dangerChecker) checkForeignRoot(s *statement) {
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
	own := c.d.ownAccount(c.config)
	for _, p := range s.principals {
		account := p.account()
		if p.kind != "AWS" || !p.isRoot() || account == own {
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
