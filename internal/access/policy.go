package access

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"syncd/config"
	"syncd/internal/iam"
)

// Side is whose account a document belongs to.
type Side string

// The sides.
const (
	Both     Side = "both"
	Owner    Side = "owner"    // accounts whose buckets are read
	Consumer Side = "consumer" // all others
)

// Style says how the documents of one account name principals of another.
type Style string

// The styles.
const (
	// RoleStyle names the role itself: nobody else of its account gets in, and a role that is deleted and made anew does not
	// either.
	RoleStyle Style = "role"
	// AccountStyle names the account for buckets and keys, whose own identity policies then decide who gets in. A trust policy names
	// the principal in any style, where it is known.
	AccountStyle Style = "account"
	// ABACStyle does so too, and lets in only sessions that carry the session tags of the configuration.
	ABACStyle Style = "abac"
)

// Options say which documents are wanted, and in which form.
type Options struct {
	// Mapping are the names of the mappings that the documents are for; none means all.
	Mapping []string
	// Side leaves out the documents of the other side; empty means Both.
	Side Side
	// Style is how one account names principals of another; empty means RoleStyle.
	Style Style
	// OrgID asks principals of other accounts to belong to this organization; empty asks nothing.
	OrgID string
	// VPCEndpoint denies those who read the sources any other way than through this endpoint; empty denies nothing.
	VPCEndpoint string
	// Principal is the ARN of the role or user whose credentials are the ambient ones; empty stands for its account, which is
	// taken to be that of the destination.
	Principal string
	// SourceKeys are the ARNs of the keys that source buckets are encrypted under. Where none is in a bucket's region and
	// account, the reader may ask for every key there, and the owner's key policy decides.
	SourceKeys []string
	// ExternalID returns the ExternalId of a role, by its name in roles. It is called for roles that have one, and for roles without
	// one that belong to another owner: their trust policies ask for one all the same. Nil refuses the former, and has
	// [secret.Placeholder] for the latter.
	ExternalID func(role string) (string, error)
}

// Document is one document that an account has to put in force.
type Document struct {
	// Name is a name for a file, without extension, unique among the documents.
	Name string
	// Title says in a line what it is.
	Title string
	Side  Side
	// Account is the account that it belongs to.
	Account string
	Kind    Kind
	// Target is what it is put on: the ARN of a role, user, key or access point, or the name of a bucket.
	Target string
	// Body is a *iam.Document, or of [KindLifecycle] a *Lifecycle.
	Body json.Marshaler
	// Mappings are the names of the mappings that it is for.
	Mappings []string
	// Notes say what is to be known before it is put in force.
	Notes []string
}

// named reports whether the target of a bucket's policy is its name, and not what it is behind.
func (d Document) named() bool { return !strings.Contains(d.Target, " ") }

// Policy is the document as a policy, nil when it is none.
func (d Document) Policy() *iam.Document {
	policy, _ := d.Body.(*iam.Document)
	return policy
}

// Policies returns every document that the accounts of a configuration need for the mappings, least privilege: the owner's
// side first, then by account, kind and name. Mappings that share a role, a bucket or a key share its document. A document
// larger than AWS takes is a *SizeError.
func Policies(c *config.Config, o Options) ([]Document, error) {
	o.Side, o.Style = cmp.Or(o.Side, Both), cmp.Or(o.Style, RoleStyle)
	mappings, err := o.choose(c)
	if err == nil {
		err = o.check()
	}
	if err != nil {
		return nil, err
	}
	b := &book{c: c, o: o, drafts: map[draftID]*draft{}}
	for _, m := range mappings {
		b.owners = append(b.owners, ownersOf(m)...)
	}
	for _, m := range mappings {
		if err := b.add(m); err != nil {
			return nil, fmt.Errorf("mapping %s: %w", m.Name, err)
		}
	}
	return b.documents()
}

// ownersOf are the accounts on the owner's side of a mapping. An access point may be the consumer's own, at the bucket of another.
func ownersOf(m config.Mapping) []string {
	owners := []string{m.Source.Account}
	if p, ok := m.Source.AccessPoint(); ok && p.Account != m.Destination.Account {
		owners = append(owners, p.Account)
	}
	return owners
}

func (o Options) choose(c *config.Config) ([]config.Mapping, error) {
	if len(o.Mapping) == 0 {
		return c.Mappings, nil
	}
	var chosen []config.Mapping
	for _, name := range sorted(o.Mapping) {
		m, ok := c.Mapping(name)
		if !ok {
			return nil, fmt.Errorf("find mapping %q: the configuration has none of that name", name)
		}
		chosen = append(chosen, m)
	}
	return chosen, nil
}

func (o Options) check() error {
	switch {
	case !slices.Contains([]Side{Both, Owner, Consumer}, o.Side):
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

func isKeyARN(arn string) bool {
	fields := strings.Split(arn, ":")
	return len(fields) == 6 && fields[2] == "kms" && len(fields[4]) == 12 && strings.HasPrefix(fields[5], "key/")
}

func isPrincipal(arn string) bool {
	fields := strings.SplitN(arn, ":", 6)
	return len(fields) == 6 && fields[0] == "arn" && fields[2] == "iam" && len(fields[4]) == 12 &&
		(strings.HasPrefix(fields[5], "role/") || strings.HasPrefix(fields[5], "user/"))
}

// draftID tells documents apart.
type draftID struct {
	kind   Kind
	target string
}

// draft is a document that is being written.
type draft struct {
	Document
	grants []grant
	rules  []LifecycleRule
}

// book is all documents that are being written.
type book struct {
	c      *config.Config
	o      Options
	owners []string // accounts of the mappings' sources
	order  []draftID
	drafts map[draftID]*draft
}

// draft returns the document of that kind and target, and notes that the mapping is one of those it is for.
func (b *book) draft(like Document, mapping string) *draft {
	id := draftID{like.Kind, like.Target}
	d := b.drafts[id]
	if d == nil {
		d = &draft{Document: like}
		d.Side = Consumer
		if slices.Contains(b.owners, like.Account) {
			d.Side = Owner
		}
		b.drafts[id] = d
		b.order = append(b.order, id)
	}
	if !slices.Contains(d.Mappings, mapping) {
		d.Mappings = append(d.Mappings, mapping)
	}
	return d
}

func (d *draft) note(text string) {
	if !slices.Contains(d.Notes, text) {
		d.Notes = append(d.Notes, text)
	}
}

// add writes what a mapping needs into the documents.
func (b *book) add(m config.Mapping) error {
	for _, side := range []struct{ path, account string }{{"source", m.Source.Account}, {"destination", m.Destination.Account}} {
		if len(side.account) != 12 {
			return fmt.Errorf("read %s.account %q: policies are between accounts of AWS", side.path, side.account)
		}
	}
	for _, key := range []struct{ path, arn string }{{"destination.kms_key", m.Destination.KMSKey}, {"checkpoint.kms_key", b.c.Checkpoint.KMSKey}} {
		if key.arn != "" && !isKeyARN(key.arn) {
			return fmt.Errorf("read %s %q: policies are about keys of AWS, arn:aws:kms:REGION:ACCOUNT:key/ID", key.path, key.arn)
		}
	}
	for _, n := range Needs(b.c, m) {
		n = b.known(n)
		if err := b.addResource(n); err != nil {
			return err
		}
		b.addIdentity(n)
	}
	b.addUpkeep(m)
	b.noteSessions(m)
	return nil
}

// noteSessions says of scoped sessions what they lack.
func (b *book) noteSessions(m config.Mapping) {
	for _, name := range (reading{c: b.c, m: m, traits: traitsOf(b.c, m)}).roles() {
		role := b.c.Roles[name]
		d := b.drafts[draftID{KindIdentity, role.ARN}]
		if d == nil || role.SessionPolicy != config.SessionPolicyScoped {
			continue
		}
		if left, err := SessionLeftOut(b.c, m, name); err != nil {
			d.note(err.Error())
		} else if len(left) > 0 {
			d.note("The policy of sessions for mapping " + m.Name + " has no room for " + strings.Join(left, ", ") + ": there this document and the key's policy decide alone.")
		}
	}
}

// known puts in what the options know of the ambient credentials and of the source's key.
func (b *book) known(n Need) Need {
	if n.Role == "" && b.o.Principal != "" {
		n.Principal, n.Account = b.o.Principal, accountOf(b.o.Principal)
	}
	if n.On == SourceKey {
		for _, key := range b.o.SourceKeys {
			if patternCovers(n.Resource, key) {
				n.Resource, n.Sample = key, key
			}
		}
	}
	return n
}

// documents finishes the drafts of the sides that are wanted.
func (b *book) documents() ([]Document, error) {
	var documents []Document
	for _, id := range b.order {
		d := b.drafts[id]
		if b.o.Side != Both && b.o.Side != d.Side {
			continue
		}
		document, err := d.finish(b.o.Style)
		if err != nil {
			return nil, err
		}
		documents = append(documents, document)
	}
	nameFilesApart(documents)
	kinds := []Kind{KindIdentity, KindTrust, KindAccessPoint, KindBucket, KindKey, KindLifecycle}
	slices.SortStableFunc(documents, func(x, y Document) int {
		return cmp.Or(-cmp.Compare(x.Side, y.Side), cmp.Compare(x.Account, y.Account),
			cmp.Compare(slices.Index(kinds, x.Kind), slices.Index(kinds, y.Kind)), cmp.Compare(x.Name, y.Name))
	})
	return documents, nil
}

// nameFilesApart numbers names that several documents have, as a role and a user of one name.
func nameFilesApart(documents []Document) {
	used := map[string]int{}
	for i, d := range documents {
		used[d.Name]++
		if n := used[d.Name]; n > 1 {
			documents[i].Name = fmt.Sprintf("%s-%d", d.Name, n)
		}
	}
}

func (d *draft) finish(style Style) (Document, error) {
	if d.Kind == KindLifecycle {
		d.Body = &Lifecycle{Rules: minimalRules(d.rules)}
		return d.Document, nil
	}
	for _, a := range d.editions(style) {
		d.Body = &iam.Document{Version: iam.Version2012, Statements: minimal(a.grants)}
		if size, err := d.size(); err != nil {
			return Document{}, err
		} else if size > a.limit {
			continue
		}
		if a.lost != "" {
			d.note("It would be too large with them: left out are " + a.lost)
		}
		break
	}
	return d.Document, d.checkSize()
}
