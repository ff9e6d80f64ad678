package policy

import (
	"slices"

	"syncd/config"
	"syncd/internal/access"
	"syncd/internal/arn"
)

// draftID identifies a draft.
type draftID struct {
	kind   access.Kind
	target string
}

// draft is a document in preparation.
type draft struct {
	Document
	grants []access.Grant
	rules  []LifecycleRule
}

// writer collects the drafts of all documents.
type writer struct {
	c      *config.Config
	o      Options
	owners []string // accounts of the mappings' sources
	order  []draftID
	drafts map[draftID]*draft
}

// draft returns the draft with the kind and target of like, creating it if needed, and adds the
// mapping to it.
func (w *writer) draft(like Document, mapping string) *draft {
	id := draftID{like.Kind, like.Target}
	d := w.drafts[id]
	if d == nil {
		d = &draft{Document: like}
		d.Side = access.Consumer
		if slices.Contains(w.owners, like.Account) {
			d.Side = access.Owner
		}
		w.drafts[id] = d
		w.order = append(w.order, id)
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

// known returns the need with the principal of the ambient credentials and the key of the source
// filled in, if the options specify them.
func (w *writer) known(n access.Need) access.Need {
	if n.Role == "" && w.o.Principal != "" {
		n.Principal, n.Account = w.o.Principal, arn.Account(w.o.Principal)
	}
	if n.On == access.SourceKey {
		for _, key := range w.o.SourceKeys {
			if access.PatternCovers(n.Resource, key) {
				n.Resource, n.Sample = key, key
			}
		}
	}
	return n
}
