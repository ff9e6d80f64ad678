package awsfake

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"syncd/internal/iam"
)

// inherited are the transitive tags that the caller's own session brings along.
func (q *request) inherited() map[string]string {
	out := map[string]string{}
	for _, key := range q.caller.transitive {
		for k, v := range q.caller.tags {
			if strings.EqualFold(k, key) {
				out[k] = v
			}
		}
	}
	return out
}

// SetPackedPolicyLimit makes AssumeRole refuse session policies and tags that together, the inherited
// ones included, are longer than so many bytes, and otherwise say how much of it they took; 0 is no
// limit. AWS has had such a limit on a packed form that it does not describe; the fake packs nothing.
func (c *Cloud) SetPackedPolicyLimit(bytes int) { c.packed.Store(int64(bytes)) }

// packedSize is how much of the limit of packed policies the call takes, in percent; 0 without a limit.
func (q *request) packedSize(a *assumption) (int64, error) {
	limit := q.cloud.packed.Load()
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

func (q *request) newSession(a *assumption) (accessKey string, cred *credential) {
	c, role := q.cloud, a.role
	tags, transitive := q.inherited(), slices.Clone(q.caller.transitive)
	maps.Copy(tags, a.tags)
	cred = &credential{
		secret: c.random.hex(20), token: "FwoGZXIvYXdz" + c.random.letters(320),
		expires: c.now().Add(a.duration).UTC().Truncate(time.Second), account: role.account, role: role,
		id: role.id + ":" + a.name, tags: tags, transitive: append(transitive, a.transitive...),
		sourceIdentity: cmp.Or(a.sourceIdentity, q.caller.sourceIdentity),
		caller: iam.Caller{
			ARN:     fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/%s", role.account.id, role.Name, a.name),
			RoleARN: role.ARN, Account: role.account.id,
		},
	}
	if a.policy != nil {
		cred.session = []*iam.Document{a.policy}
	}
	return "ASIA" + c.random.letters(16), cred
}
