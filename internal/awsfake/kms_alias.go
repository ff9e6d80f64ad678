package awsfake

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"syncd/internal/iam"
)

// aliasARN is the ARN of an alias ("alias/data") in the caller's account and the Region of the request.
func (q *kmsRequest) aliasARN(name string) string {
	return fmt.Sprintf("arn:aws:kms:%s:%s:%s", q.region, q.caller.account.ID(), name)
}

// allowAlias authorises an operation on an alias, which has no policy of its own.
func (q *kmsRequest) allowAlias(name string) error {
	x := question{action: "kms:" + q.operation, resource: q.aliasARN(name), account: q.caller.account.ID(), kind: iam.Bucket}
	if d := q.decide(x); !d.Allowed {
		return refuse(http.StatusBadRequest, "AccessDeniedException", "User: %s is not authorized to perform: %s on resource: %s %s",
			q.caller.caller.ARN, x.action, x.resource, d.Reason())
	}
	return nil
}

// putAlias creates an alias or points it at another key. It takes the permission for both ("Controlling access to aliases", AWS KMS
// Developer Guide).
func (q *kmsRequest) putAlias(in *kmsInput) (any, error) {
	switch {
	case !regexp.MustCompile(`^alias/[a-zA-Z0-9/_-]{1,250}$`).MatchString(in.AliasName):
		return nil, refuse(http.StatusBadRequest, "ValidationException",
			"1 validation error detected: Value at 'aliasName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^alias/[a-zA-Z0-9/_-]+$")
	case strings.HasPrefix(in.AliasName, "alias/aws/"):
		return nil, refuse(http.StatusBadRequest, "NotAuthorizedException", "")
	}
	if err := q.allowAlias(in.AliasName); err != nil {
		return nil, err
	}
	k := q.kms.findKey(in.TargetKeyID, q.region, q.caller.account)
	if k == nil || k.account != q.caller.account {
		return nil, q.noSuchKMSKey(in.TargetKeyID, "kms:"+q.operation)
	}
	if err := q.allowKey(k, "kms:"+q.operation, nil); err != nil {
		return nil, err
	}
	arn := q.aliasARN(in.AliasName)
	q.kms.mu.Lock()
	defer q.kms.mu.Unlock()
	switch exists := q.kms.aliases[arn] != nil; {
	case exists && q.operation == "CreateAlias":
		return nil, refuse(http.StatusBadRequest, "AlreadyExistsException", "An alias with the name %s already exists", arn)
	case !exists && q.operation == "UpdateAlias":
		return nil, errNoSuchAlias(arn)
	}
	q.kms.aliases[arn] = k
	return struct{}{}, nil
}

func errNoSuchAlias(arn string) error {
	return refuse(http.StatusBadRequest, "NotFoundException", "Alias %s is not found.", arn)
}

func (q *kmsRequest) deleteAlias(in *kmsInput) (any, error) {
	if err := q.allowAlias(in.AliasName); err != nil {
		return nil, err
	}
	arn := q.aliasARN(in.AliasName)
	q.kms.mu.RLock()
	k := q.kms.aliases[arn]
	q.kms.mu.RUnlock()
	if k == nil {
		return nil, errNoSuchAlias(arn)
	}
	if err := q.allowKey(k, "kms:DeleteAlias", nil); err != nil {
		return nil, err
	}
	q.kms.mu.Lock()
	defer q.kms.mu.Unlock()
	delete(q.kms.aliases, arn)
	return struct{}{}, nil
}

// listAliases lists those of the account, that which AWS gives its own key included, or those of one key.
func (q *kmsRequest) listAliases(in *kmsInput) (any, error) {
	if err := q.allowAccount("kms:ListAliases"); err != nil {
		return nil, err
	}
	var only *Key
	if in.KeyID != "" {
		if only = q.kms.findKey(in.KeyID, q.region, q.caller.account); only == nil {
			return nil, q.noSuchKMSKey(in.KeyID, "kms:ListAliases")
		}
	}
	type listed struct {
		AliasName   string
		AliasARN    string `json:"AliasArn"`
		TargetKeyID string `json:"TargetKeyId"`
	}
	found := []listed{}
	add := func(arn string, k *Key) {
		if k.account == q.caller.account && k.region == q.region && (only == nil || k == only) {
			found = append(found, listed{arn[strings.LastIndex(arn, ":")+1:], arn, k.id})
		}
	}
	q.kms.mu.RLock()
	defer q.kms.mu.RUnlock()
	for arn, k := range q.kms.aliases {
		add(arn, k)
	}
	if k := q.kms.managed[ownedKey{q.caller.account, q.region}]; k != nil {
		add(q.aliasARN("alias/aws/s3"), k)
	}
	slices.SortFunc(found, func(a, b listed) int { return strings.Compare(a.AliasARN, b.AliasARN) })
	return map[string]any{"Aliases": found, "Truncated": false}, nil
}
