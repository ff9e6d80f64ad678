package store

import "strings"

// Walk describes the keys that a listing asks for.
type Walk struct {
	Prefix, Delimiter string
	Max               int
	After             string // excludes keys up to and including this one
}

// ListedVersion is a version or delete marker on a page.
type ListedVersion struct {
	*Object
	Latest bool
}

// start returns the first key that may be on the page, or false if there is none.
func (l *Walk) start() (string, bool) {
	if l.After == "" || l.After < l.Prefix {
		return l.Prefix, true
	}
	if l.Delimiter != "" && strings.HasSuffix(l.After, l.Delimiter) && l.common(l.After) == l.After {
		return after(l.After) // the previous page ended with this common prefix
	}
	return l.After + "\x00", true
}

// common returns the common prefix of a key, or "" if it has none.
func (l *Walk) common(key string) string {
	if l.Delimiter == "" || !strings.HasPrefix(key, l.Prefix) {
		return ""
	}
	i := strings.Index(key[len(l.Prefix):], l.Delimiter)
	if i < 0 {
		return ""
	}
	return key[:len(l.Prefix)+i+len(l.Delimiter)]
}

// Page is one page of a listing.
type Page struct {
	Objects   []*Object
	Prefixes  []string
	Truncated bool
	Last      string // the next page starts after this key or common prefix
}

// Count returns how many entries count towards the limit.
func (p *Page) Count() int { return len(p.Objects) + len(p.Prefixes) }

// versionPage is a page of ListObjectVersions.
type versionPage struct {
	Versions             []ListedVersion
	Prefixes             []string
	Truncated            bool
	NextKey, NextVersion string
}

func (p *versionPage) count() int { return len(p.Versions) + len(p.Prefixes) }

// add adds a key's versions to the page. It returns false if the page is full before all are added.
func (p *versionPage) add(e *entry, l *Walk, versionMarker string) bool {
	skipping := versionMarker != "" && e.key == l.After
	for _, o := range e.versions {
		if skipping {
			skipping = o.VersionID != versionMarker
			continue
		}
		if p.count() == l.Max {
			p.Truncated = true
			return false
		}
		p.Versions, p.NextKey, p.NextVersion = append(p.Versions, ListedVersion{o, o == e.versions[0]}), o.Key, o.VersionID
	}
	return true
}
