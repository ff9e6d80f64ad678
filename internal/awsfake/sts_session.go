package awsfake

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"syncd/internal/iam"
)

// packedSize is how much of the limit of packed policies the call takes, in percent; 0 without a limit.
func (q *stsRequest) packedSize(a *assumption) (int64, error) {
	limit := q.sts.packed.Load()
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
		return 0, refuse(http.StatusBadRequest, "PackedPolicyTooLarge",
			"Packed policy consumes %d%% of allotted space, please use smaller policy.", percent)
	}
	return percent, nil
}

func (q *stsRequest) newSession(a *assumption) (accessKey string, cred *credential) {
	c, role := q.cloud, a.role
	tags, transitive := q.inherited(), slices.Clone(q.caller.transitive)
	maps.Copy(tags, a.tags)
	cred = &credential{
		secret: newSecret(c.random.hex(20)), token: "FwoGZXIvYXdz" + c.random.letters(320),
		expires: c.now().Add(a.duration).UTC().Truncate(time.Second), account: role.account, role: role,
		id: role.id + ":" + a.name, tags: tags, transitive: append(transitive, a.transitive...),
		sourceIdentity: cmp.Or(a.sourceIdentity, q.caller.sourceIdentity),
		caller: iam.Caller{
			ARN:     fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/%s", role.account.ID(), role.Name, a.name),
			RoleARN: role.ARN, Account: role.account.ID(),
		},
	}
	if a.policy != nil {
		cred.session = []*iam.Document{a.policy}
	}
	return "ASIA" + c.random.letters(16), cred
}
