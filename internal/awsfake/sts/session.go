package sts

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"time"

	"syncd/internal/arn"
	"syncd/internal/awsfake/directory"
	"syncd/internal/awsfake/signature"
	"syncd/internal/awsfake/wire"
	"syncd/internal/iam"
)

// packedSize returns how much of the packed policy limit the call uses, in percent; 0 without a
// limit.
func (q *request) packedSize(a *assumption) (int64, error) {
	limit := q.service.packed.Load()
	if limit == 0 {
		return 0, nil
	}
	size := len(a.policyText)
	for _, tags := range []map[string]string{a.tags, q.inherited()} {
		for k, v := range tags {
			size += len(k) + len(v)
		}
	}
	percent := (int64(size)*100 + limit - 1) / limit
	if percent > 100 {
		return 0, wire.Refuse(http.StatusBadRequest, "PackedPolicyTooLarge",
			"Packed policy consumes %d%% of allotted space, please use smaller policy.", percent)
	}
	return percent, nil
}

func (q *request) newSession(a *assumption) (accessKey string, cred *directory.Credential) {
	c, role := q.Cloud, a.role
	tags, transitive := q.inherited(), slices.Clone(q.Caller.Transitive)
	maps.Copy(tags, a.tags)
	cred = &directory.Credential{
		Secret: signature.NewSecret(c.Random.Hex(20)), Token: "FwoGZXIvYXdz" + c.Random.Letters(320),
		Expires: c.Now().Add(a.duration).UTC().Truncate(time.Second), Account: role.Account, Role: role,
		ID: role.ID + ":" + a.name, Tags: tags, Transitive: append(transitive, a.transitive...),
		SourceIdentity: cmp.Or(a.sourceIdentity, q.Caller.SourceIdentity),
		Caller: iam.Caller{
			ARN:     arn.Session(role.ARN, a.name),
			RoleARN: role.ARN, Account: role.Account.ID(),
		},
	}
	if a.policy != nil {
		cred.Session = []*iam.Document{a.policy}
	}
	return "ASIA" + c.Random.Letters(16), cred
}
