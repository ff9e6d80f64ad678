package policy

import (
	"fmt"
	"slices"
	"strings"

	"syncd/internal/access"
	"syncd/internal/arn"
	"syncd/internal/awsname"
)

// Style is how the documents of one account name principals of another account.
type Style string

// The styles.
const (
	// RoleStyle names the role itself. No other principal of the role's account gets access. If the
	// role is deleted and created again, the new role has no access either.
	RoleStyle Style = "role"
	// AccountStyle names the account in the policies of buckets and keys. The identity policies of
	// that account then decide who gets access. A trust policy names the principal in every style,
	// if it is known.
	AccountStyle Style = "account"
	// ABACStyle names the account as AccountStyle does, but allows only sessions that have the
	// configured session tags.
	ABACStyle Style = "abac"
)

// Options selects the documents to write and their form.
type Options struct {
	// Mapping contains the names of the mappings to write documents for. Empty means all mappings.
	Mapping []string
	// Side selects the documents of one side. Empty means [access.Both].
	Side access.Side
	// Style is how one account names principals of another account. Empty means RoleStyle.
	Style Style
	// OrgID is the ID of the organization that principals of other accounts must belong to, such as
	// o-a1b2c3d4e5. If OrgID is empty, they need not belong to an organization.
	OrgID string
	// VPCEndpoint is the ID of the only VPC endpoint through which the sources may be read. If it
	// is empty, all networks are allowed.
	VPCEndpoint string
	// Principal is the ARN of the role or user that the ambient credentials belong to. If Principal
	// is empty, documents name the account of the ambient credentials instead, which is assumed to
	// be the account of the destination.
	Principal string
	// SourceKeys are the ARNs of the keys that encrypt the source buckets. If none of them is in
	// the region and account of a source bucket, the reader's policy allows every key in that
	// region and account, and the owner's key policy decides.
	SourceKeys []string
	// ExternalID returns the ExternalId of the role with the given name in the roles setting. It is
	// called for roles with external_id. It is also called for roles of another owner without
	// external_id, because their trust policies also require an ExternalId. If ExternalID is nil,
	// Documents returns an error for a role with external_id, and the trust policy of a role of
	// another owner without external_id contains [secret.Placeholder].
	ExternalID func(role string) (string, error)
}

func (o Options) check() error {
	switch {
	case !slices.Contains([]access.Side{access.Both, access.Owner, access.Consumer}, o.Side):
		return fmt.Errorf("read side %q: use both, owner or consumer", o.Side)
	case !slices.Contains([]Style{RoleStyle, AccountStyle, ABACStyle}, o.Style):
		return fmt.Errorf("read style %q: use role, account or abac", o.Style)
	case o.OrgID != "" && !strings.HasPrefix(o.OrgID, "o-"):
		return fmt.Errorf("read organization %q: the ID must begin with o-", o.OrgID)
	case o.VPCEndpoint != "" && !strings.HasPrefix(o.VPCEndpoint, "vpce-"):
		return fmt.Errorf("read VPC endpoint %q: the ID must begin with vpce-", o.VPCEndpoint)
	case o.Principal != "" && !isPrincipal(o.Principal):
		return fmt.Errorf("read principal %q: use arn:aws:iam::ACCOUNT:role/NAME or user/NAME; for a session, use the ARN of its role", o.Principal)
	}
	for _, key := range o.SourceKeys {
		if !isKeyARN(key) {
			return fmt.Errorf("read source key %q: use arn:aws:kms:REGION:ACCOUNT:key/ID", key)
		}
	}
	return nil
}

// isKeyARN reports whether text is the ARN of a key, or a pattern for keys of one account.
func isKeyARN(text string) bool {
	a, _ := arn.Split(text)
	return a.Service == "kms" && awsname.IsAccount(a.Account) && arn.Kind(text) == "key" && !strings.Contains(a.Resource, ":")
}

func isPrincipal(text string) bool {
	a, _ := arn.Split(text)
	kind := arn.Kind(text)
	return a.Service == "iam" && awsname.IsAccount(a.Account) && (kind == "role" || kind == "user")
}
