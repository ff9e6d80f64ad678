// Package policy writes the documents that accounts put in force for a configuration: identity,
// trust, bucket, access point and key policies, and lifecycle rules.
//
// The documents that [Documents] returns grant exactly the permissions that the mappings need,
// according to the table of package access. If a document is too large, Documents leaves out
// optional conditions and adds a note. If the document is still larger than AWS allows, it returns
// a *access.SizeError. [JSON] renders documents for the AWS CLI, [Terraform] as Terraform files and
// [CloudFormation] as templates. If Options.ExternalID is [ExternalIDVariable], Terraform and
// CloudFormation files contain variables instead of ExternalIds.
//
// Package access contains the table and writes session policies. Package access/lint checks
// existing documents. The user, not syncd, puts the documents in force.
//
// Terms: a draft is a document in preparation. There is one draft for each kind and target. A style
// is how the documents of one account name principals of another account.
package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"syncd/config"
	"syncd/internal/access"
	"syncd/internal/awsname"
	"syncd/internal/iam"
)

// Documents returns every document that the accounts of a configuration need for the mappings, with
// least privilege. The documents of the owner's side come first. Within a side, documents are
// sorted by account, kind and name. There is one document for each role, bucket and key, even if
// several mappings use it. If a document is larger than AWS allows, Documents returns a
// *access.SizeError.
func Documents(c *config.Config, o Options) ([]Document, error) {
	o.Side, o.Style = cmp.Or(o.Side, access.Both), cmp.Or(o.Style, RoleStyle)
	mappings, err := access.Mappings(c, o.Mapping)
	if err == nil {
		err = o.check()
	}
	if err != nil {
		return nil, err
	}
	w := &writer{c: c, o: o, drafts: map[draftID]*draft{}}
	for _, m := range mappings {
		w.owners = append(w.owners, access.OwnersOf(w.c.Places(m))...)
	}
	for _, m := range mappings {
		if err := w.add(m); err != nil {
			return nil, fmt.Errorf("mapping %s: %w", m.Name, err)
		}
	}
	return w.documents()
}

// add adds the permissions that a mapping needs to the drafts.
func (w *writer) add(m config.Mapping) error {
	for _, side := range []struct{ path, account string }{{"source", m.Source.Account}, {"destination", m.Destination.Account}} {
		if !awsname.IsAccount(side.account) {
			return fmt.Errorf("read %s.account %q: policies need an AWS account ID", side.path, side.account)
		}
	}
	for _, key := range []struct{ path, arn string }{{"destination.kms_key", m.Destination.KMSKey}, {"checkpoint.kms_key", w.c.Checkpoint.KMSKey}} {
		if key.arn != "" && !isKeyARN(key.arn) {
			return fmt.Errorf("read %s %q: policies need the ARN of an AWS KMS key, arn:aws:kms:REGION:ACCOUNT:key/ID", key.path, key.arn)
		}
	}
	for _, n := range access.Needs(w.c, m) {
		n = w.known(n)
		if err := w.addResource(n); err != nil {
			return err
		}
		w.addIdentity(n)
	}
	w.addUpkeep(m)
	w.noteSessions(m)
	return nil
}

// noteSessions adds notes about conditions that scoped sessions leave out.
func (w *writer) noteSessions(m config.Mapping) {
	for _, name := range access.NewView(w.c, m).Roles() {
		role := w.c.Roles[name]
		d := w.drafts[draftID{access.KindIdentity, role.ARN}]
		if d == nil || role.SessionPolicy != config.SessionPolicyScoped {
			continue
		}
		if left, err := access.SessionLeftOut(w.c, m, name); err != nil {
			d.note(err.Error())
		} else if len(left) > 0 {
			d.note("The session policy for mapping " + m.Name + " leaves out " + strings.Join(left, ", ") + " because of its size limit. Only this document and the key policy check these conditions.")
		}
	}
}

// documents finishes and sorts the drafts of the selected sides.
func (w *writer) documents() ([]Document, error) {
	var documents []Document
	for _, id := range w.order {
		d := w.drafts[id]
		if w.o.Side != access.Both && w.o.Side != d.Side {
			continue
		}
		document, err := d.finish(w.o.Style)
		if err != nil {
			return nil, err
		}
		documents = append(documents, document)
	}
	nameFilesApart(documents)
	kinds := []access.Kind{access.KindIdentity, access.KindTrust, access.KindAccessPoint, access.KindBucket, access.KindKey, access.KindLifecycle}
	slices.SortStableFunc(documents, func(x, y Document) int {
		return cmp.Or(-cmp.Compare(x.Side, y.Side), cmp.Compare(x.Account, y.Account),
			cmp.Compare(slices.Index(kinds, x.Kind), slices.Index(kinds, y.Kind)), cmp.Compare(x.Name, y.Name))
	})
	return documents, nil
}

// nameFilesApart numbers duplicate names, such as those of a role and a user with the same name.
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
	if d.Kind == access.KindLifecycle {
		d.Body = &Lifecycle{Rules: minimalRules(d.rules)}
		return d.Document, nil
	}
	for _, a := range d.editions(style) {
		d.Body = &iam.Document{Version: iam.Version2012, Statements: access.Minimal(a.grants)}
		if size, err := d.size(); err != nil {
			return Document{}, err
		} else if size > a.limit {
			continue
		}
		if a.lost != "" {
			d.note("To fit into the size limit of AWS, this policy leaves out " + a.lost)
		}
		break
	}
	return d.Document, d.checkSize()
}
