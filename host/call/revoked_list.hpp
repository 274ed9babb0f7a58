// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

// The durable list of revoked tokens (S-74): a table of the host's own, in SQL that all databases
// take. It holds fingerprints in hexadecimal, Unix seconds until which they count, and, for the
// other hosts of the database, when the database was told: by its clock alone, since those of hosts
// differ.
namespace sub0::call::revoked_list {

inline constexpr std::string_view kCreate =
    "CREATE TABLE IF NOT EXISTS _sub0_revoked_tokens (fingerprint VARCHAR(64) NOT NULL, "
    "expires_at BIGINT NOT NULL, added_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, "
    "PRIMARY KEY (fingerprint, expires_at), UNIQUE (added_at, fingerprint, expires_at))";
inline constexpr std::string_view kForget =
    "DELETE FROM _sub0_revoked_tokens WHERE expires_at <= $1";
/// All of it, page by page: $1 is the last fingerprint of the page before. Of equal ones the latest
/// comes first.
inline constexpr std::string_view kRead =
    "SELECT fingerprint, expires_at FROM _sub0_revoked_tokens WHERE fingerprint > $1 "
    "ORDER BY fingerprint, expires_at DESC LIMIT 10000";
/// The same of what was added of late: kReadNewReach seconds back, most of it known already, since
/// a row is seen only some time after its moment.
inline constexpr std::string_view kReadNew =
    "SELECT fingerprint, expires_at FROM _sub0_revoked_tokens "
    "WHERE added_at > CURRENT_TIMESTAMP - INTERVAL '180' SECOND AND fingerprint > $1 "
    "ORDER BY fingerprint, expires_at DESC LIMIT 10000";
inline constexpr std::int64_t kReadNewReach = 180;
inline constexpr std::uint32_t kPageRows = 10'000;
/// A row that is there already is a constraint's error, and as good.
inline constexpr std::string_view kAdd =
    "INSERT INTO _sub0_revoked_tokens (fingerprint, expires_at) VALUES ($1, $2)";

}  // namespace sub0::call::revoked_list
