package kms

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"syncd/internal/awsfake/core"
	"syncd/internal/awsfake/wire"
	"syncd/internal/iam"
)

// aliasARN returns the ARN of an alias ("alias/data") in the caller's account and the request's
// Region.
func (q *request) aliasARN(name string) string {
	return q.Caller.Account.ARN("kms", q.Region, name)
}

// allowAlias authorises an operation on an alias. An alias has no policy.
func (q *request) allowAlias(name string) error {
	x := core.Question{Action: "kms:" + q.Operation, Resource: q.aliasARN(name), Account: q.Caller.Account.ID(), Kind: iam.Bucket}
	if d := q.Decide(x); !d.Allowed {
		return wire.Refuse(http.StatusBadRequest, "AccessDeniedException", "User: %s is not authorized to perform: %s on resource: %s %s",
			q.Caller.Caller.ARN, x.Action, x.Resource, d.Reason())
	}
	return nil
}

// putAlias creates an alias or points it at another key. The caller needs permission for both the
// alias and the key ("Controlling access to aliases", AWS KMS Developer Guide).
func (q *request) putAlias(in *input) (any, error) {
	switch {
	case !regexp.MustCompile(`^alias/[a-zA-Z0-9/_-]{1,250}$`).MatchString(in.AliasName):
		return nil, wire.Refuse(http.StatusBadRequest, "ValidationException",
			"1 validation error detected: Value at 'aliasName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^alias/[a-zA-Z0-9/_-]+$")
	case strings.HasPrefix(in.AliasName, "alias/aws/"):
		return nil, wire.Refuse(http.StatusBadRequest, "NotAuthorizedException", "")
	}
	if err := q.allowAlias(in.AliasName); err != nil {
		return nil, err
	}
	k := q.service.FindKey(in.TargetKeyID, q.Region, q.Caller.Account)
	if k == nil || k.account != q.Caller.Account {
		return nil, q.noSuchKMSKey(in.TargetKeyID, "kms:"+q.Operation)
	}
	if err := q.allowKey(k, "kms:"+q.Operation, nil); err != nil {
		return nil, err
	}
	arn := q.aliasARN(in.AliasName)
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	switch exists := q.service.aliases[arn] != nil; {
	case exists && q.Operation == "CreateAlias":
		return nil, wire.Refuse(http.StatusBadRequest, "AlreadyExistsException", "An alias with the name %s already exists", arn)
	case !exists && q.Operation == "UpdateAlias":
		return nil, errNoSuchAlias(arn)
	}
	q.service.aliases[arn] = k
	return struct{}{}, nil
}

func errNoSuchAlias(arn string) error {
	return wire.Refuse(http.StatusBadRequest, "NotFoundException", "Alias %s is not found.", arn)
}

func (q *request) deleteAlias(in *input) (any, error) {
	if err := q.allowAlias(in.AliasName); err != nil {
		return nil, err
	}
	arn := q.aliasARN(in.AliasName)
	q.service.mu.RLock()
	k := q.service.aliases[arn]
	q.service.mu.RUnlock()
	if k == nil {
		return nil, errNoSuchAlias(arn)
	}
	if err := q.allowKey(k, "kms:DeleteAlias", nil); err != nil {
		return nil, err
	}
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	delete(q.service.aliases, arn)
	return struct{}{}, nil
}

// listAliases lists the aliases of the account, including the alias of its AWS managed key, or the
// aliases of one key.
func (q *request) listAliases(in *input) (any, error) {
	if err := q.allowAccount("kms:ListAliases"); err != nil {
		return nil, err
	}
	var only *Key
	if in.KeyID != "" {
		if only = q.service.FindKey(in.KeyID, q.Region, q.Caller.Account); only == nil {
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
		if k.account == q.Caller.Account && k.region == q.Region && (only == nil || k == only) {
			found = append(found, listed{arn[strings.LastIndex(arn, ":")+1:], arn, k.id})
		}
	}
	q.service.mu.RLock()
	defer q.service.mu.RUnlock()
	for arn, k := range q.service.aliases {
		add(arn, k)
	}
	if k := q.service.managed[ownedKey{q.Caller.Account, q.Region}]; k != nil {
		add(q.aliasARN("alias/aws/s3"), k)
	}
	slices.SortFunc(found, func(a, b listed) int { return strings.Compare(a.AliasARN, b.AliasARN) })
	return map[string]any{"Aliases": found, "Truncated": false}, nil
}
