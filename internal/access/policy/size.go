package policy

import (
	"fmt"

	"syncd/internal/access"
)

// edition is one form of a document. The first edition whose size is at most the limit is used.
type edition struct {
	grants []access.Grant
	limit  int
	lost   string // description of the omitted conditions, for the note
}

// editions returns the forms of a document, most restrictive first. Later forms leave out optional
// conditions.
func (d *draft) editions(style Style) []edition {
	whole := edition{grants: d.grants, limit: access.MaxInline}
	switch d.Kind { //nolint:exhaustive // the other kinds have nothing to leave out
	case access.KindIdentity:
		lean := edition{access.Without(d.grants, "", access.ResourceAccount), access.MaxManaged, "the accounts of the buckets (" + access.ResourceAccount + ")."}
		return []edition{{grants: d.grants, limit: access.MaxManaged}, lean, whole, {lean.grants, access.MaxInline, lean.lost}}
	case access.KindTrust:
		untagged := edition{access.Without(d.grants, access.ActionAssume, "aws:RequestTag/"), access.MaxTrust, "the tags required by sts:AssumeRole. A session without tags is possible."}
		list := []edition{{grants: d.grants, limit: access.MaxTrust}, untagged}
		if style != ABACStyle {
			list = append(list, edition{access.Without(d.grants, "", "aws:RequestTag/"), access.MaxTrust, "the values of session tags. Request a higher quota for trust policies before you use policies that check these tags."})
		}
		return list
	}
	return []edition{whole}
}

// size returns the number of characters in the document without whitespace.
func (d *draft) size() (int, error) {
	text, err := access.Compact(d.Body)
	if err != nil {
		return 0, fmt.Errorf("write %s: %w", d.Title, err)
	}
	return len(text), nil
}

// checkSize returns an error if the document exceeds the size limit of AWS.
func (d *draft) checkSize() error {
	size, err := d.size()
	if err != nil {
		return err
	}
	limits := map[access.Kind]int{access.KindIdentity: access.MaxInline, access.KindTrust: access.MaxTrust, access.KindBucket: access.MaxBucket, access.KindAccessPoint: access.MaxBucket, access.KindKey: access.MaxKey}
	advice := map[access.Kind]string{
		access.KindIdentity:    "split the mappings among several roles, or give the mappings of one bucket a common prefix",
		access.KindTrust:       "let fewer roles assume this role; AWS raises the limit to 4,096 on request",
		access.KindBucket:      "give the mappings of this bucket a common prefix, or use style account",
		access.KindAccessPoint: "give the mappings of this access point a common prefix, or use style account",
		access.KindKey:         "use style account, or give the mappings of its bucket a common prefix",
	}
	if limit := limits[d.Kind]; size > limit {
		return &access.SizeError{Document: d.Title, Size: size, Limit: limit, Advice: advice[d.Kind]}
	}
	if d.Kind == access.KindIdentity && size > access.MaxManaged {
		d.note(fmt.Sprintf("This policy has %d characters: too many for a managed policy (%d), but not for an inline policy (%d).", size, access.MaxManaged, access.MaxInline))
	}
	return nil
}
