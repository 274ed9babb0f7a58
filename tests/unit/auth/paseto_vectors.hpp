// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

// The vectors 4-E-1 to 4-E-9 of https://github.com/paseto-standard/test-vectors (v4.json), whose
// key is the bytes 0x70 to 0x8f. Tests only.
namespace sub0::auth {

struct PasetoVector {
  const char* name;
  std::string nonce;  // 32 bytes
  std::string text;
  std::string footer;
  std::string implicit;
  std::string token;
};

inline const std::vector<PasetoVector>& pasetoVectors() {
  static const std::string kZero(32, '\0');
  static const std::string kNonce =
      "\xdf\x65\x48\x12\xba\xc4\x92\x66\x38\x25\x52\x0b\xa2\xf6\xe6\x7c"
      "\xf5\xca\x5b\xdc\x13\xd4\xe7\x50\x7a\x98\xcc\x4c\x2f\xcc\x3a\xd8";
  static const std::string kSecret =
      R"({"data":"this is a secret message","exp":"2022-01-01T00:00:00+00:00"})";
  static const std::string kHidden =
      R"({"data":"this is a hidden message","exp":"2022-01-01T00:00:00+00:00"})";
  static const std::string kKid = R"({"kid":"zVhMiPBP9fRf2snEcT7gFTioeA9COcNy9DfgL1W60haN"})";
  static const std::vector<PasetoVector> vectors = {
      {"4-E-1", kZero, kSecret, "", "",
       "v4.local.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQAr68PS4AXe7If_ZgesdkUMvSwscFlAl"
       "1pk5HC0e8kApeaqMfGo_7OpBnwJOAbY9V7WU6abu74MmcUE8YWAiaArVI8XJ5hOb_4v9RmDkneN0S92dx0OW"
       "4pgy7omxgf3S8c3LlQg"},
      {"4-E-2", kZero, kHidden, "", "",
       "v4.local.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQAr68PS4AXe7If_ZgesdkUMvS2csCggl"
       "vpk5HC0e8kApeaqMfGo_7OpBnwJOAbY9V7WU6abu74MmcUE8YWAiaArVI8XIemu9chy3WVKvRBfg6t8wwYHK"
       "0ArLxxfZP73W_vfwt5A"},
      {"4-E-3", kNonce, kSecret, "", "",
       "v4.local.32VIErrEkmY4JVILovbmfPXKW9wT1OdQepjMTC_MOtjA4kiqw7_tcaOM5GNEcnTxl60WkwMsYXw"
       "6FSNb_UdJPXjpzm0KW9ojM5f4O2mRvE2IcweP-PRdoHjd5-RHCiExR1IK6t6-tyebyWG6Ov7kKvBdkrrAJ83"
       "7lKP3iDag2hzUPHuMKA"},
      {"4-E-4", kNonce, kHidden, "", "",
       "v4.local.32VIErrEkmY4JVILovbmfPXKW9wT1OdQepjMTC_MOtjA4kiqw7_tcaOM5GNEcnTxl60WiA8rd3w"
       "gFSNb_UdJPXjpzm0KW9ojM5f4O2mRvE2IcweP-PRdoHjd5-RHCiExR1IK6t4gt6TiLm55vIH8c_lGxxZpE3A"
       "WlH4WTR0v45nsWoU3gQ"},
      {"4-E-5", kNonce, kSecret, kKid, "",
       "v4.local.32VIErrEkmY4JVILovbmfPXKW9wT1OdQepjMTC_MOtjA4kiqw7_tcaOM5GNEcnTxl60WkwMsYXw"
       "6FSNb_UdJPXjpzm0KW9ojM5f4O2mRvE2IcweP-PRdoHjd5-RHCiExR1IK6t4x-RMNXtQNbz7FvFZ_G-lFpk5"
       "RG3EOrwDL6CgDqcerSQ.eyJraWQiOiJ6VmhNaVBCUDlmUmYyc25FY1Q3Z0ZUaW9lQTlDT2NOeTlEZmdMMVc2"
       "MGhhTiJ9"},
      {"4-E-6", kNonce, kHidden, kKid, "",
       "v4.local.32VIErrEkmY4JVILovbmfPXKW9wT1OdQepjMTC_MOtjA4kiqw7_tcaOM5GNEcnTxl60WiA8rd3w"
       "gFSNb_UdJPXjpzm0KW9ojM5f4O2mRvE2IcweP-PRdoHjd5-RHCiExR1IK6t6pWSA5HX2wjb3P-xLQg5K5feU"
       "CX4P2fpVK3ZLWFbMSxQ.eyJraWQiOiJ6VmhNaVBCUDlmUmYyc25FY1Q3Z0ZUaW9lQTlDT2NOeTlEZmdMMVc2"
       "MGhhTiJ9"},
      {"4-E-7", kNonce, kSecret, kKid, R"({"test-vector":"4-E-7"})",
       "v4.local.32VIErrEkmY4JVILovbmfPXKW9wT1OdQepjMTC_MOtjA4kiqw7_tcaOM5GNEcnTxl60WkwMsYXw"
       "6FSNb_UdJPXjpzm0KW9ojM5f4O2mRvE2IcweP-PRdoHjd5-RHCiExR1IK6t40KCCWLA7GYL9KFHzKlwY9_Rn"
       "IfRrMQpueydLEAZGGcA.eyJraWQiOiJ6VmhNaVBCUDlmUmYyc25FY1Q3Z0ZUaW9lQTlDT2NOeTlEZmdMMVc2"
       "MGhhTiJ9"},
      {"4-E-8", kNonce, kHidden, kKid, R"({"test-vector":"4-E-8"})",
       "v4.local.32VIErrEkmY4JVILovbmfPXKW9wT1OdQepjMTC_MOtjA4kiqw7_tcaOM5GNEcnTxl60WiA8rd3w"
       "gFSNb_UdJPXjpzm0KW9ojM5f4O2mRvE2IcweP-PRdoHjd5-RHCiExR1IK6t5uvqQbMGlLLNYBc7A6_x7oqnp"
       "UK5WLvj24eE4DVPDZjw.eyJraWQiOiJ6VmhNaVBCUDlmUmYyc25FY1Q3Z0ZUaW9lQTlDT2NOeTlEZmdMMVc2"
       "MGhhTiJ9"},
      {"4-E-9", kNonce, kHidden, "arbitrary-string-that-isn't-json", R"({"test-vector":"4-E-9"})",
       "v4.local.32VIErrEkmY4JVILovbmfPXKW9wT1OdQepjMTC_MOtjA4kiqw7_tcaOM5GNEcnTxl60WiA8rd3w"
       "gFSNb_UdJPXjpzm0KW9ojM5f4O2mRvE2IcweP-PRdoHjd5-RHCiExR1IK6t6tybdlmnMwcDMw0YxA_gFSE_I"
       "UWl78aMtOepFYSWYfQA.YXJiaXRyYXJ5LXN0cmluZy10aGF0LWlzbid0LWpzb24"}};
  return vectors;
}

}  // namespace sub0::auth
