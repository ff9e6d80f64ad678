package access

import (
	"slices"

	"syncd/config"
)

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
