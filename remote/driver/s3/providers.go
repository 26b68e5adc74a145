package s3

import (
	"fmt"
	"slices"
	"strings"
)

// A Provider is whose server it is, and how that differs from Amazon's.
type Provider struct {
	Name  string // as the option provider has it
	About string
	// Endpoint is the host of its servers, with REGION in the place of the region; "" = the option
	// endpoint is needed.
	Endpoint string
	Region   string // where the option region is empty; "" = us-east-1, for signatures only
	quirks
}

// quirks are how a provider's server differs from Amazon's.
type quirks struct {
	hostStyle    bool  // buckets are host names, where the option does not say otherwise
	listV1       bool  // the second form of listing is missing or wrong
	listMetadata bool  // a listing can hold metadata
	wholeCopies  bool  // no part of an object can be copied: copies are made by one request
	noACL        bool  // requests that name one are refused
	otherETags   bool  // an ETag is no MD5 sum
	nativeTimes  bool  // other programs look for the modification time under nativeKey
	maxParts     int   // 0 = 10,000
	minPart      int64 // 0 = 5 MiB
}

// Notes says in words what is not as at Amazon's, for help.
func (p Provider) Notes() string {
	var notes []string
	for note, holds := range map[string]bool{
		"needs endpoint":                 p.Endpoint == "" && p.Name != "AWS",
		"needs region":                   strings.Contains(p.Endpoint, "REGION") && p.Region == "",
		"listing by version 1":           p.listV1,
		"continued files are sent whole": p.wholeCopies,
		"no acl":                         p.noACL,
		"no MD5 sums":                    p.otherETags,
		fmt.Sprintf("%d parts at most", p.maxParts):   p.maxParts > 0,
		fmt.Sprintf("parts of %d MiB", p.minPart>>20): p.minPart > 0,
	} {
		if holds {
			notes = append(notes, note)
		}
	}
	slices.Sort(notes)
	return strings.Join(notes, ", ")
}

// Providers lists all that are known, by name.
func Providers() []Provider {
	return []Provider{
		{Name: "Alibaba", About: "Alibaba Cloud OSS", Endpoint: "oss-REGION.aliyuncs.com", quirks: quirks{hostStyle: true}},
		{Name: "ArvanCloud", About: "Arvan Cloud", Endpoint: "s3.REGION.arvanstorage.ir", quirks: quirks{listV1: true}},
		{Name: "Autonomys", About: "Autonomys Auto Drive", Endpoint: "s3.auto-drive.autonomys.xyz", quirks: quirks{wholeCopies: true, noACL: true}},
		{Name: "AWS", About: "Amazon Web Services", quirks: quirks{hostStyle: true}},
		{Name: "Backblaze", About: "Backblaze B2, as the type b2 reaches it", Endpoint: "s3.REGION.backblazeb2.com", quirks: quirks{nativeTimes: true}},
		{Name: "BizflyCloud", About: "Bizfly Cloud", Endpoint: "REGION.ss.bfcplatform.vn"},
		{Name: "Cellar", About: "Clever Cloud Cellar", Endpoint: "cellar-c2.services.clever-cloud.com", quirks: quirks{hostStyle: true}},
		{Name: "Ceph", About: "Ceph Object Gateway"},
		{Name: "ChinaMobile", About: "China Mobile Ecloud EOS", Endpoint: "eos-REGION.cmecloud.cn", quirks: quirks{listV1: true}},
		{Name: "Cloudflare", About: "Cloudflare R2", Region: "auto", quirks: quirks{noACL: true}},
		{Name: "Cubbit", About: "Cubbit DS3", Endpoint: "s3.cubbit.eu", Region: "eu-west-1", quirks: quirks{hostStyle: true}},
		{Name: "DigitalOcean", About: "DigitalOcean Spaces", Endpoint: "REGION.digitaloceanspaces.com", quirks: quirks{hostStyle: true}},
		{Name: "Dreamhost", About: "Dreamhost DreamObjects", Endpoint: "objects-us-east-1.dream.io", quirks: quirks{hostStyle: true}},
		{Name: "Exaba", About: "Exaba"},
		{Name: "Fastly", About: "Fastly Object Storage", Endpoint: "REGION.object.fastlystorage.app", quirks: quirks{noACL: true, otherETags: true}},
		{Name: "FileLu", About: "FileLu S5", Endpoint: "s5lu.com", Region: "global"},
		{Name: "FlashBlade", About: "Pure Storage FlashBlade", quirks: quirks{noACL: true}},
		{Name: "GCS", About: "Google Cloud Storage, by its S3 interface", Endpoint: "storage.googleapis.com", quirks: quirks{hostStyle: true, wholeCopies: true}},
		{Name: "HCP", About: "Hitachi Content Platform"},
		{Name: "Hetzner", About: "Hetzner Object Storage", Endpoint: "REGION.your-objectstorage.com", quirks: quirks{hostStyle: true}},
		{Name: "HuaweiOBS", About: "Huawei OBS", Endpoint: "obs.REGION.myhuaweicloud.com", quirks: quirks{hostStyle: true, listV1: true}},
		{Name: "IBMCOS", About: "IBM Cloud Object Storage", Endpoint: "s3.REGION.cloud-object-storage.appdomain.cloud", quirks: quirks{listV1: true}},
		{Name: "IDrive", About: "IDrive e2"},
		{Name: "ImpossibleCloud", About: "Impossible Cloud", Endpoint: "REGION.storage.impossibleapi.net", quirks: quirks{hostStyle: true}},
		{Name: "Infomaniak", About: "Infomaniak Swiss Backup", Region: "us-east-1"},
		{Name: "Intercolo", About: "Intercolo", Endpoint: "REGION.i3storage.com", Region: "de-fra", quirks: quirks{hostStyle: true}},
		{Name: "IONOS", About: "IONOS Cloud"},
		{Name: "Leviia", About: "Leviia", Endpoint: "s3.leviia.com", quirks: quirks{hostStyle: true}},
		{Name: "Liara", About: "Liara", Endpoint: "storage.iran.liara.space"},
		{Name: "Linode", About: "Linode, Akamai", Endpoint: "REGION.linodeobjects.com", quirks: quirks{hostStyle: true}},
		{Name: "LyveCloud", About: "Seagate Lyve Cloud", quirks: quirks{hostStyle: true}},
		{Name: "Magalu", About: "Magalu Cloud", Endpoint: "REGION.magaluobjects.com", quirks: quirks{listV1: true}},
		{Name: "Mega", About: "MEGA S4", quirks: quirks{wholeCopies: true, noACL: true}},
		{Name: "Minio", About: "MinIO", quirks: quirks{listMetadata: true}},
		{Name: "Neon", About: "Neon", quirks: quirks{noACL: true}},
		{Name: "Netease", About: "Netease NOS", quirks: quirks{hostStyle: true, listV1: true}},
		{Name: "Other", About: "any other server"},
		{Name: "Outscale", About: "OUTSCALE OOS", Endpoint: "oos.REGION.outscale.com"},
		{Name: "OVHcloud", About: "OVHcloud", Endpoint: "s3.REGION.io.cloud.ovh.net", quirks: quirks{hostStyle: true}},
		{Name: "Petabox", About: "Petabox", Endpoint: "s3.REGION.petabox.io", Region: "us-east-1", quirks: quirks{hostStyle: true}},
		{Name: "Qiniu", About: "Qiniu Kodo", Endpoint: "s3-REGION.qiniucs.com"},
		{Name: "Rabata", About: "Rabata", Endpoint: "s3.REGION.rabata.io", quirks: quirks{hostStyle: true, noACL: true}},
		{Name: "RackCorp", About: "RackCorp", Endpoint: "REGION.s3.rackcorp.com", quirks: quirks{hostStyle: true}},
		{Name: "Rclone", About: "rclone serve s3", quirks: quirks{wholeCopies: true, noACL: true}},
		{Name: "RelAix", About: "RelAix", Endpoint: "s3-gw1.relaix.net", quirks: quirks{hostStyle: true}},
		{Name: "Scaleway", About: "Scaleway", Endpoint: "s3.REGION.scw.cloud", quirks: quirks{hostStyle: true, maxParts: 1000}},
		{Name: "Scality", About: "Scality RING and ARTESCA"},
		{Name: "SeaweedFS", About: "SeaweedFS"},
		{Name: "Selectel", About: "Selectel", Endpoint: "s3.REGION.storage.selcloud.ru", quirks: quirks{hostStyle: true, noACL: true}},
		{Name: "Servercore", About: "Servercore", quirks: quirks{hostStyle: true, noACL: true}},
		{Name: "SpectraLogic", About: "Spectra Logic Black Pearl", quirks: quirks{noACL: true}},
		{Name: "StackPath", About: "StackPath", quirks: quirks{listV1: true}},
		{Name: "Storj", About: "Storj, by its gateway", Endpoint: "gateway.storjshare.io", quirks: quirks{hostStyle: true, wholeCopies: true, minPart: 64 << 20, noACL: true}},
		{Name: "Synology", About: "Synology C2", Endpoint: "REGION.s3.synologyc2.net", quirks: quirks{hostStyle: true, noACL: true}},
		{Name: "TencentCOS", About: "Tencent Cloud COS", Endpoint: "cos.REGION.myqcloud.com", quirks: quirks{hostStyle: true, listV1: true}},
		{Name: "US3", About: "UCloud US3", Endpoint: "s3-REGION.ufileos.com", quirks: quirks{hostStyle: true, listV1: true}},
		{Name: "Volcengine", About: "Volcengine TOS", Endpoint: "tos-s3-REGION.volces.com", quirks: quirks{hostStyle: true}},
		{Name: "Wasabi", About: "Wasabi", Endpoint: "s3.REGION.wasabisys.com", Region: "us-east-1", quirks: quirks{hostStyle: true}},
		{Name: "Zadara", About: "Zadara", Region: "us-east-1", quirks: quirks{noACL: true}},
		{Name: "Zata", About: "Zata", Endpoint: "idr01.zata.ai", Region: "us-east-1", quirks: quirks{hostStyle: true}},
		{Name: "ZeroServices", About: "Zero Services ZERO-Z3"},
	}
}

// provider finds one by name, "" being AWS. Case makes no difference.
func provider(name string) (p Provider, ok bool) {
	for _, p := range Providers() {
		if strings.EqualFold(p.Name, name) || name == "" && p.Name == "AWS" {
			return p, true
		}
	}
	return Provider{}, false
}
