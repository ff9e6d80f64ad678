package schedule

import (
	"cmp"
	_ "embed"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"syncd/config/value"
	"syncd/internal/hint"
)

// zoneNames lists the names of the IANA time zone database, one per line. A test generates it.
//
//go:embed zones.txt
var zoneNames string

var (
	// settingBefore matches a word with a value before an expression, as in CRON_TZ=UTC 0 2 * * *.
	settingBefore = regexp.MustCompile(`^\s*([A-Za-z_-]+)\s*=\s*(\S*)\s*(.*)$`)
	// eventBridge matches the schedules of Amazon EventBridge.
	eventBridge = regexp.MustCompile(`^(cron|rate)\((.*)\)$`)
)

// problemOf explains what is wrong with an invalid schedule, and what to write instead.
func problemOf(text string, refused error) (problem, instead string) {
	if s := settingBefore.FindStringSubmatch(text); s != nil {
		if problem, instead := problemOfZone(s[1], s[2], s[3]); problem != "" {
			return problem, instead
		}
		if _, err := compile(s[3]); err == nil {
			return "the zone must be followed by exactly one space", "did you mean " + strconv.Quote(s[1]+"="+s[2]+" "+s[3]) + "?"
		}
		problem, instead := problemOf(s[3], refused)
		return problem, strings.Replace(instead, `did you mean "`, `did you mean "`+s[1]+"="+s[2]+" ", 1)
	}
	if meant := meantSchedule(text); meant != "" {
		instead = "did you mean " + strconv.Quote(meant) + "?"
	}
	fields := strings.Fields(text)
	switch {
	case eventBridge.MatchString(text):
		problem = "it has the syntax of Amazon EventBridge"
	case strings.HasPrefix(text, "@") && !strings.HasPrefix(text, "@every"):
		problem = "unknown descriptor " + strconv.Quote(text)
	case len(fields) == 6 || len(fields) == 7:
		problem = "it has " + strconv.Itoa(len(fields)) + " fields, but seconds and years are not supported"
	case len(fields) == 5:
		return problemOfFields(fields, refused, instead)
	case strings.HasPrefix(text, "@"):
		problem = refused.Error()
	default:
		problem = "it has " + strconv.Itoa(len(fields)) + " of the five fields"
	}
	if instead == "" {
		instead = usage
	}
	return problem, instead
}

// problemOfZone explains what is wrong with the zone setting before an expression.
func problemOfZone(name, zone, rest string) (problem, instead string) {
	if name != "CRON_TZ" && name != "TZ" {
		return "unknown setting " + name, hint.DidYouMean(name, []string{"CRON_TZ", "TZ"})
	}
	if _, err := time.LoadLocation(zone); err == nil {
		if strings.TrimSpace(rest) == "" {
			return "a time zone without a schedule", usage
		}
		return "", ""
	}
	known := strings.Fields(zoneNames)
	meant := ""
	if len(zone) > 4 { // abbreviations are too short to guess from
		meant = hint.NearestWithin(strings.ReplaceAll(zone, " ", "_"), known, 1+len(zone)/6)
	}
	if i := slices.IndexFunc(known, func(z string) bool { return strings.HasSuffix(strings.ToLower(z), "/"+strings.ToLower(zone)) }); meant == "" && i >= 0 {
		meant = known[i]
	}
	instead = "use a name of the IANA time zone database, such as Europe/Berlin or UTC"
	if meant != "" {
		instead = "did you mean " + meant + "?"
	}
	return "unknown time zone " + strconv.Quote(zone), instead
}

// meantSchedule guesses the intended schedule from invalid text. It returns "" if it cannot.
func meantSchedule(text string) string {
	text = strings.Trim(strings.TrimSpace(text), `"'`)
	fields := strings.Fields(text)
	var candidates []string
	if form := eventBridge.FindStringSubmatch(text); form != nil && form[1] == "rate" {
		return meantSchedule("every " + form[2])
	} else if form != nil {
		return meantSchedule(form[2])
	}
	if len(fields) == 6 || len(fields) == 7 {
		// A question mark replaces the day of the month or of the week. Of six fields, the extra
		// one is either the year at the end or the seconds at the start.
		first := len(fields) - 6
		if len(fields) == 6 && fields[2] != "?" && fields[4] != "?" {
			first = 1
		}
		candidates = append(candidates, strings.Join(fields[first:first+5], " "))
	}
	lower := strings.ToLower(text)
	every := strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(lower, "@"), "every"), ":"))
	if d, ok := value.MeantDuration(every); ok {
		candidates = append(candidates, "@every "+value.Duration(d).String())
	}
	if len(fields) == 1 {
		candidates = append(candidates, hint.NearestWithin("@"+strings.TrimPrefix(lower, "@"), []string{
			"@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually",
		}, 2))
	}
	if len(fields) > 0 && len(fields) < 5 && strings.Trim(text, "0123456789*/,- ") == "" {
		candidates = append(candidates, text+strings.Repeat(" *", 5-len(fields)))
	}
	for _, c := range candidates {
		if _, err := compile(c); err == nil {
			return c
		}
	}
	return ""
}

// problemOfFields names the invalid word in an expression of five fields. whole is the hint for the
// whole expression, or "" if there is none.
func problemOfFields(fields []string, refused error, whole string) (problem, instead string) {
	instead = cmp.Or(whole, usage)
	names := map[int][]string{
		3: {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"},
		4: {"sun", "mon", "tue", "wed", "thu", "fri", "sat"},
	}
	kinds := []string{"a minute", "an hour", "a day of the month", "a month", "a day of the week"}
	notLetter := func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }
	for i, field := range fields {
		for _, word := range strings.FieldsFunc(field, notLetter) {
			if slices.Contains(names[i], strings.ToLower(word)) {
				continue
			}
			if meant := hint.NearestWithin(word[:min(3, len(word))], names[i], 2); meant != "" {
				instead = "did you mean " + meant + "?"
			}
			return strconv.Quote(word) + " is not " + kinds[i], instead
		}
	}
	return refused.Error(), instead
}
