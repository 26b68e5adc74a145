package notice

// ofGCS reads the attributes of a notification of Google Cloud Storage. Storing an object anew is
// told as two things: the old generation is gone, the new one is there.
func ofGCS(a map[string]string) []Notice {
	n := Notice{Bucket: a["bucketId"], Key: a["objectId"], Order: numberOrder(a["objectGeneration"]), Time: parseTime(a["eventTime"])}
	if n.Key == "" {
		return nil
	}
	switch a["eventType"] {
	case "OBJECT_FINALIZE":
		n.Version = a["objectGeneration"]
	case "OBJECT_DELETE", "OBJECT_ARCHIVE":
		// What was replaced is not removed.
		n.Removed = a["overwrittenByGeneration"] == ""
	case "OBJECT_METADATA_UPDATE": // times of files are metadata
	default:
		return nil
	}
	return []Notice{n}
}
