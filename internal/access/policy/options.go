package policy

import (
	"fmt"
	"slices"
	"strings"

	"syncd/internal/access"
	"syncd/internal/arn"
	"syncd/internal/awsname"
)

// Style says how the documents of one account name principals of another.
type Style string

// The styles.
const (
	// RoleStyle names the role itself: nobody else of its account gets in, and a role that is
	// deleted and created again does not either.
	RoleStyle Style = "role"
	// AccountStyle names the account for buckets and keys, whose own identity policies then decide
	// who gets in. A trust policy names the principal in any style, where it is known.
	AccountStyle Style = "account"
	// ABACStyle does so too, and lets in only sessions that carry the session tags of the
	// configuration.
	ABACStyle Style = "abac"
)

// Options say which documents are wanted, and in which form.
type Options struct {
	// Mapping are the names of the mappings that the documents are for; none means all.
	Mapping []string
	// Side leaves out the documents of the other side; empty means Both.
	Side access.Side
	// Style is how one account names principals of another; empty means RoleStyle.
	Style Style
	// OrgID asks principals of other accounts to belong to this organization; empty asks nothing.
	OrgID string
	// VPCEndpoint denies those who read the sources any other way than through this endpoint; empty
	// denies nothing.
	VPCEndpoint string
	// Principal is the ARN of the role or user whose credentials are the ambient ones; empty stands
	// for its account, which is taken to be that of the destination.
	Principal string
	// SourceKeys are the ARNs of the keys that source buckets are encrypted under. Where none is in
	// a bucket's region and account, the reader may ask for every key there, and the owner's key
	// policy decides.
	SourceKeys []string
	// ExternalID returns the ExternalId of a role, by its name in roles. It is called for roles
	// that have one, and for roles without one that belong to another owner: their trust policies
	// ask for one all the same. Nil refuses the former, and has [secret.Placeholder] for the
	// latter.
	ExternalID func(role string) (string, error)
}

func (o Options) check() error {
	switch {
	case !slices.Contains([]access.Side{access.Both, access.Owner, access.Consumer}, o.Side):
		return fmt.Errorf("read side %q: use both, owner or consumer", o.Side)
	case !slices.Contains([]Style{RoleStyle, AccountStyle, ABACStyle}, o.Style):
		return fmt.Errorf("read style %q: use role, account or abac", o.Style)
	case o.OrgID != "" && !strings.HasPrefix(o.OrgID, "o-"):
		return fmt.Errorf("read organization %q: its id begins with o-", o.OrgID)
	case o.VPCEndpoint != "" && !strings.HasPrefix(o.VPCEndpoint, "vpce-"):
		return fmt.Errorf("read VPC endpoint %q: its id begins with vpce-", o.VPCEndpoint)
	case o.Principal != "" && !isPrincipal(o.Principal):
		return fmt.Errorf("read principal %q: use arn:aws:iam::ACCOUNT:role/NAME or user/NAME, of a session that of its role", o.Principal)
	}
	for _, key := range o.SourceKeys {
		if !isKeyARN(key) {
			return fmt.Errorf("read source key %q: use arn:aws:kms:REGION:ACCOUNT:key/ID", key)
		}
	}
	return nil
}

// isKeyARN reports whether a text is the ARN of a key, or a pattern of keys of one account.
func isKeyARN(text string) bool {
	a, _ := arn.Split(text)
	return a.Service == "kms" && awsname.IsAccount(a.Account) && arn.Kind(text) == "key" && !strings.Contains(a.Resource, ":")
}

func isPrincipal(text string) bool {
	a, _ := arn.Split(text)
	kind := arn.Kind(text)
	return a.Service == "iam" && awsname.IsAccount(a.Account) && (kind == "role" || kind == "user")
}
