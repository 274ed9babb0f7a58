// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "poco_data/data_session.hpp"
#include "poco_data/mysql_address.hpp"
#include "poco_data/mysql_errors.hpp"

namespace sub0::query {
namespace {

// spec S-14
TEST(MysqlAddress, ReadsTheUrl) {
  MysqlAddress address;
  std::string error;
  ASSERT_TRUE(address.parse(
      "mysql://me%40here:a%3Bb%3A@db.example:3307/my%20app?ssl=required&ssl_ca=/a%2Fb", error))
      << error;
  EXPECT_EQ(address.user, "me@here");
  EXPECT_EQ(address.password, "a;b:");
  EXPECT_EQ(address.host, "db.example");
  EXPECT_EQ(address.port, 3307U);
  EXPECT_EQ(address.database, "my app");
  EXPECT_TRUE(address.needs_ssl);
  EXPECT_EQ(address.ssl_ca, "/a/b");
  address = {};
  ASSERT_TRUE(address.parse("mariadb://me@[::1]/app", error));
  EXPECT_EQ(address.host, "::1");
  EXPECT_EQ(address.port, 3306U);
  EXPECT_FALSE(address.needs_ssl);
  address = {};
  ASSERT_TRUE(address.parse("mariadb://me@/app?socket=/run/mysqld/mysqld.sock", error));
  EXPECT_EQ(address.socket, "/run/mysqld/mysqld.sock");
}

// spec S-14: what is wrong is said without the password
TEST(MysqlAddress, SaysWhatIsWrong) {
  for (const char* url :
       {"mysql://", "mysql://host/app", "mysql://me:secret@host", "mysql://me:secret@/app",
        "mysql://me:secret@host:0/app", "mysql://me:secret@host:70000/app",
        "mysql://me:secret@host:x/app", "mysql://me:secret@[::1/app",
        "mysql://me:secret%2@host/app", "mysql://me:secret@host/app?colour=red",
        "mysql://me:secret@host/app?ssl=maybe", "mysql://me:secret@host/a/b"}) {
    MysqlAddress address;
    std::string error;
    EXPECT_FALSE(address.parse(url, error)) << url;
    EXPECT_NE(error.find("DATABASE_URL"), std::string::npos) << url;
    EXPECT_EQ(error.find("secret"), std::string::npos) << url;
  }
}

// spec S-52
TEST(MysqlErrors, ConstraintsNameColumnsAndNothingElse) {
  const struct {
    unsigned number;
    const char* message;
    const char* client;
  } cases[] = {
      {1048, "Column 'email' cannot be null", "Operation Failed: email is required"},
      {1364, "Field 'a' doesn't have a default value", "Operation Failed: a is required"},
      {1452,
       "Cannot add or update a child row: a foreign key constraint fails (`app`.`t`, CONSTRAINT "
       "`f` FOREIGN KEY (`owner`, `b`) REFERENCES `owners` (`id`, `c`))",
       "Operation Failed: owner, b refers to nothing"},
      {1451,
       "Cannot delete or update a parent row: a foreign key constraint fails (`app`.`t`, "
       "CONSTRAINT `f` FOREIGN KEY (`owner`) REFERENCES `owners` (`id`))",
       "Operation Failed: id is not allowed"},
      {4025, "CONSTRAINT `t.a` failed for `app`.`t`", "Operation Failed: a is not allowed"},
      {4025, "CONSTRAINT `t.a` failed for `app`.`u`", "Operation Failed: the value is not allowed"},
      {4025, "CONSTRAINT `plus` failed for `app`.`t`",
       "Operation Failed: the value is not allowed"},
      {1062, "Duplicate entry 'x' for key 'k'", "Operation Failed: the value already exists"},
  };
  for (const auto& each : cases) {
    const Failure failure = mysqlFailure(each.number, each.message, "UPDATE t", Shown::kAll);
    EXPECT_EQ(failure.code, SUB0_CONSTRAINT) << each.message;
    EXPECT_EQ(failure.client, each.client);
    EXPECT_EQ(failure.log.find("Duplicate"), std::string::npos);
  }
}

// spec S-52: which constraint it was, and no value
TEST(MysqlErrors, TheLogNamesTheConstraint) {
  const struct {
    unsigned number;
    const char* message;
    const char* which;
  } cases[] = {
      {1062, "Duplicate entry 'it's for key 'a'' for key 'users.email'", " (key users.email)"},
      {1062, "Duplicate entry 'a'", ""},
      {1062, "Doppelter Eintrag 'a'", ""},
      {1048, "Column 'email' cannot be null", " (column email)"},
      {1452, "a foreign key constraint fails (`app`.`t`, CONSTRAINT `f` FOREIGN KEY (`a`)",
       " (constraint f)"},
      {4025, "CONSTRAINT `t.a` failed for `app`.`t`", " (constraint t.a)"},
      {1216, "Cannot add or update a child row", ""},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(mysqlFailure(each.number, each.message, "UPDATE t", Shown::kNoValues).log,
              "MariaDB: error " + std::to_string(each.number) + each.which + " in: UPDATE t");
  }
}

// spec S-52: what shows a value is not even told to the log
TEST(MysqlErrors, MisfitsKeepTheirValues) {
  for (const unsigned number : {1264U, 1265U, 1292U, 1366U, 1406U, 1411U, 1525U, 4038U}) {
    EXPECT_TRUE(isMisfit(number));
    const Failure failure =
        mysqlFailure(number, "Incorrect value: 'secret'", "UPDATE t", Shown::kAll);
    EXPECT_EQ(failure.client, "Operation Failed: a value does not fit its column's type");
    EXPECT_EQ(failure.log, "MariaDB: error " + std::to_string(number) + " in: UPDATE t");
  }
  EXPECT_FALSE(isMisfit(1062));
}

// Q-18, spec S-52: of a statement that runs the log has words that cannot quote a value, no others
TEST(MysqlErrors, ThatMayQuoteAValueAreNumbersInTheLog) {
  const std::string sql = "SELECT a FROM missing";
  const std::pair<unsigned, const char*> hidden[] = {
      {1690, "BIGINT value is out of range in '77 + 1'"},
      {1105, "XPATH syntax error: 'secret'"},
      {1064, "You have an error in your SQL syntax near 'secret'"},
      {1146, "Table 'app.secret' doesn't exist"},
      {1054, "Unknown column 'secret' in 'WHERE'"},
      {1231, "Variable 'time_zone' can't be set to the value of 'secret'"}};
  for (const auto& [number, message] : hidden) {
    EXPECT_EQ(mysqlFailure(number, message, sql, Shown::kNoValues).log,
              "MariaDB: error " + std::to_string(number) + " in: " + sql);
    EXPECT_NE(mysqlFailure(number, message, sql, Shown::kAll).log.find(message), std::string::npos);
  }
  const std::pair<unsigned, const char*> shown[] = {
      {1146, "Table 'app.missing' doesn't exist"},
      {1054, "Unknown column 'a' in 'SELECT'"},
      {1142, "SELECT command denied to user 'me'@'localhost' for table `app`.`missing`"},
      {1114, "The table 'missing' is full"},
      {1644, "the account is closed"},
      {2013, "Lost connection to server during query"}};
  for (const auto& [number, message] : shown) {
    EXPECT_NE(mysqlFailure(number, message, sql, Shown::kNoValues).log.find(message),
              std::string::npos);
  }
}

// spec S-52, S-90, Q-85
TEST(MysqlErrors, KnowWhatIsForNow) {
  const std::pair<unsigned, std::int32_t> cases[] = {
      {1213, SUB0_BUSY},         {1205, SUB0_BUSY},        {2006, SUB0_UNAVAILABLE},
      {2013, SUB0_UNAVAILABLE},  {1927, SUB0_UNAVAILABLE}, {1040, SUB0_UNAVAILABLE},
      {1317, SUB0_TIMEOUT},      {1290, SUB0_UNAVAILABLE}, {1264, SUB0_ACTION_FAILED},
      {1146, SUB0_ACTION_FAILED}};
  for (const auto& [number, code] : cases) {
    EXPECT_EQ(mysqlFailure(number, "words of the server", "SELECT secret", Shown::kAll).code, code)
        << number;
    EXPECT_EQ(mysqlFailure(number, "words", "SELECT secret", Shown::kAll).client.find("secret"),
              std::string::npos);
  }
  EXPECT_TRUE(endsMysqlConnection(2013));
  EXPECT_FALSE(endsMysqlConnection(1213));
}

// spec S-52: the value may hold what the message is made of
TEST(MysqlErrors, FindTheKeyAndItsTable) {
  EXPECT_EQ(keyOf("Duplicate entry 'it's for key 'x'' for key 'users.email'"), "email");
  EXPECT_EQ(keyOf("Duplicate entry 'a' for key 'PRIMARY'"), "PRIMARY");
  EXPECT_EQ(keyOf("no quotes"), "");
  const std::pair<const char*, const char*> cases[] = {
      {"INSERT INTO t (a) VALUES (1)", "t"},
      {"INSERT IGNORE INTO `my table` VALUES (1)", "my table"},
      {"REPLACE INTO app.\"T\" VALUES (1)", "T"},
      {"UPDATE LOW_PRIORITY app.t SET a = 1", "t"},
      {"SELECT 1", ""}};
  for (const auto& [sql, table] : cases) {
    EXPECT_EQ(tableWrittenBy(sql), table) << sql;
  }
}

sub0_value number(const char* digits) {
  sub0_value value{};
  value.type = SUB0_NUMBER;
  value.count = static_cast<std::uint32_t>(std::char_traits<char>::length(digits));
  value.as.text = digits;
  return value;
}

// spec S-30
TEST(DataParameter, KeepsTheDigitsOfNumbers) {
  using Kind = DataParameter::Kind;
  sub0_value value{};
  EXPECT_EQ(toDataParameter(value).kind, Kind::kNull);
  value.type = SUB0_BOOL;
  value.as.i = 1;
  EXPECT_EQ(toDataParameter(value).integer, 1);
  value.type = SUB0_INT;
  value.as.i = INT64_MIN;
  EXPECT_EQ(toDataParameter(value).integer, INT64_MIN);
  value.type = SUB0_DOUBLE;
  value.as.d = 3;
  EXPECT_EQ(toDataParameter(value).kind, Kind::kInteger);
  value.as.d = 0.1;
  EXPECT_EQ(toDataParameter(value).kind, Kind::kDecimal);
  EXPECT_EQ(toDataParameter(value).text, "0.1");
  value.as.d = 1e300;
  EXPECT_EQ(toDataParameter(value).kind, Kind::kReal);
  EXPECT_EQ(toDataParameter(number("18446744073709551615")).kind, Kind::kUnsigned);
  EXPECT_EQ(toDataParameter(number("1e2")).integer, 100);
  EXPECT_EQ(toDataParameter(number("1234567890123456789012.5")).kind, Kind::kDecimal);
  EXPECT_EQ(toDataParameter(number("0.1234567890123456789012345678901")).kind, Kind::kText);
  const sub0_value item = number("5");
  value.type = SUB0_ARRAY;
  value.count = 1;
  value.as.items = &item;
  EXPECT_EQ(toDataParameter(value).text, "[5]");
}

// spec S-30: instants of ISO-8601 as MariaDB reads them
TEST(DataParameter, KnowsInstants) {
  const std::pair<const char*, const char*> cases[] = {
      {"2024-02-29T13:14:15.123Z", "2024-02-29 13:14:15.123"},
      {"2024-02-29T13:14:15.123456789Z", "2024-02-29 13:14:15.123456"},
      {"2024-02-29T23:14:15-02:00", "2024-03-01 01:14:15.000"},
      {"2024-02-29T13:14Z", "2024-02-29 13:14:00.000"},
      {"2024-02-29T13:14:15", ""},
      {"2024-02-29 13:14:15Z", ""},
      {"2024-02-29", ""},
      {"a text of 17 or more Z", ""}};
  for (const auto& [text, expected] : cases) {
    std::string plain;
    EXPECT_EQ(toPlainInstant(text, plain), *expected != '\0') << text;
    if (*expected != '\0') {
      EXPECT_EQ(plain, expected);
    }
  }
}

}  // namespace
}  // namespace sub0::query
