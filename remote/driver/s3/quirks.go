package s3

// quirks are how a provider's server differs from Amazon's.
type quirks struct {
	hostStyle    bool // buckets are host names, where the option does not say otherwise
	listV1       bool // the second form of listing is missing or wrong
	listMetadata bool // a listing can hold metadata
	maxParts     int
}

// quirksOf returns what is known of a provider. One that is not known takes what every server
// understands.
func quirksOf(provider string) quirks {
	q := quirks{maxParts: 10000}
	switch provider {
	case "", "AWS", "Alibaba", "HuaweiOBS", "Qiniu", "Volcengine", "Wasabi":
		q.hostStyle = true
	case "Netease", "TencentCOS":
		q.hostStyle, q.listV1 = true, true
	case "ArvanCloud", "ChinaMobile", "IBMCOS", "Magalu", "StackPath":
		q.listV1 = true
	case "Minio":
		q.listMetadata = true
	case "Scaleway":
		q.maxParts = 1000
	}
	return q
}
