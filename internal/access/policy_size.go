package access

import "fmt"

// edition is a document in a form that counts when it has no more characters than the limit.
type edition struct {
	grants []grant
	limit  int
	lost   string // what it lacks
}

// editions are the forms of a document, the narrowest first: what narrows a grant further than it has to be is left out where it
// does not fit.
func (d *draft) editions(style Style) []edition {
	whole := edition{grants: d.grants, limit: maxInline}
	switch d.Kind { //nolint:exhaustive // the others have nothing to leave out
	case KindIdentity:
		lean := edition{without(d.grants, "", resourceAccount), maxManaged, "the accounts of the buckets (" + resourceAccount + ")."}
		return []edition{{grants: d.grants, limit: maxManaged}, lean, whole, {lean.grants, maxInline, lean.lost}}
	case KindTrust:
		untagged := edition{without(d.grants, actionAssume, "aws:RequestTag/"), maxTrust, "the tags of sts:AssumeRole: a session without them is possible."}
		list := []edition{{grants: d.grants, limit: maxTrust}, untagged}
		if style != ABACStyle {
			list = append(list, edition{without(d.grants, "", "aws:RequestTag/"), maxTrust, "the values of session tags: have the quota of trust policies raised before policies look at them."})
		}
		return list
	}
	return []edition{whole}
}

// size is how many characters the document has as AWS counts them.
func (d *draft) size() (int, error) {
	text, err := compact(d.Body)
	if err != nil {
		return 0, fmt.Errorf("write %s: %w", d.Title, err)
	}
	return len(text), nil
}

// checkSize refuses what AWS would refuse.
func (d *draft) checkSize() error {
	size, err := d.size()
	if err != nil {
		return err
	}
	limits := map[Kind]int{KindIdentity: maxInline, KindTrust: maxTrust, KindBucket: maxBucket, KindAccessPoint: maxBucket, KindKey: maxKey}
	advice := map[Kind]string{
		KindIdentity:    "split the mappings among several roles, or give those of one bucket a common prefix",
		KindTrust:       "let fewer roles assume this one; AWS raises the limit to 4,096 on request",
		KindBucket:      "give the mappings of this bucket a common prefix, or share it with the style account",
		KindAccessPoint: "give the mappings of this access point a common prefix, or share it with the style account",
		KindKey:         "share the key with the style account, or give the mappings of its bucket a common prefix",
	}
	if limit := limits[d.Kind]; size > limit {
		return &SizeError{Document: d.Title, Size: size, Limit: limit, Advice: advice[d.Kind]}
	}
	if d.Kind == KindIdentity && size > maxManaged {
		d.note(fmt.Sprintf("It has %d characters: too many for a managed policy (%d), few enough for an inline one (%d).", size, maxManaged, maxInline))
	}
	return nil
}
