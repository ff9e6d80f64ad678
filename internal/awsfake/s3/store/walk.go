package store

import "strings"

// Walk is the part of a bucket's keys that a listing asks for.
type Walk struct {
	Prefix, Delimiter string
	Max               int
	After             string // keys up to and including this one are left out
}

// ListedVersion is a version, or a delete marker, on a page.
type ListedVersion struct {
	*Object
	Latest bool
}

// start is the first key that may be on the page; false when none can.
func (l *Walk) start() (string, bool) {
	if l.After == "" || l.After < l.Prefix {
		return l.Prefix, true
	}
	if l.Delimiter != "" && strings.HasSuffix(l.After, l.Delimiter) && l.common(l.After) == l.After {
		return behind(l.After) // the page before ended with this common prefix
	}
	return l.After + "\x00", true
}

// common is the common prefix that a key belongs to, "" for none.
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

// Page is what a listing found.
type Page struct {
	Objects   []*Object
	Prefixes  []string
	Truncated bool
	Last      string // the key or common prefix that the next page begins behind
}

// Count is how much of the limit the page takes.
func (p *Page) Count() int { return len(p.Objects) + len(p.Prefixes) }

// versionPage is a page of ListObjectVersions.
type versionPage struct {
	Versions             []ListedVersion
	Prefixes             []string
	Truncated            bool
	NextKey, NextVersion string
}

func (p *versionPage) count() int { return len(p.Versions) + len(p.Prefixes) }

// add takes a key's versions onto the page; false when it is full before they end.
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
