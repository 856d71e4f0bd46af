package api

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"craftista/product/internal/core"
	"craftista/shared/fault"
)

// encodingVersion is part of the ETag: change it with the JSON of a product, so that
// one ETag never stands for two bodies.
const encodingVersion = "b"

// tag is the strong ETag of one product. The edits and the votes, which only
// ever change its body by changing one of the two counts, make it.
func tag(p core.Product) string {
	return fmt.Sprintf(`"%d-%d-%s"`, p.Version, p.Votes, encodingVersion)
}

// etagPattern matches what tag returns, with any encodingVersion.
var etagPattern = regexp.MustCompile(`^"([0-9]+)-[0-9]+-[^"]*"$`)

// ifMatch reads If-Match into the versions that a change is meant for, nil being
// any. Without the header the error is PreconditionRequired.
//
// Of a tag only the version is compared. If-Match is there to prevent lost
// updates (RFC 9110 section 13.1.1): an edit must not undo another edit that its
// author never saw. A vote is no edit and an edit undoes none, so a product that
// people vote for all day must not refuse its curator all day. As the section
// asks, weak tags never match.
func ifMatch(r *http.Request) (versions []int64, err error) {
	header := strings.TrimSpace(strings.Join(r.Header.Values("If-Match"), ","))
	switch header {
	case "":
		return nil, fault.New(fault.PreconditionRequired,
			"send the ETag that the piece was read with as If-Match, or * for whatever is there")
	case "*":
		return nil, nil
	}
	versions = []int64{} // which no product has, in case no tag matches etagPattern
	for candidate := range strings.SplitSeq(header, ",") {
		if found := etagPattern.FindStringSubmatch(strings.TrimSpace(candidate)); found != nil {
			if version, err := strconv.ParseInt(found[1], 10, 64); err == nil {
				versions = append(versions, version)
			}
		}
	}
	return versions, nil
}
