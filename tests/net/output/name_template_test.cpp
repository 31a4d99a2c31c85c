#include <weir/net/output/name_template.hpp>

#include "session_samples.hpp"

namespace weir::test {
namespace {

std::string rendered(std::string_view text, side s = side::client,
                     std::string_view distinction = {}) {
  std::string out;
  names(text).render(sample_info(), s, out, distinction);
  return out;
}

struct example {
  const char* text;
  const char* expected;
};

TEST(name_template, renders_every_field) {
  const example examples[] = {
      {"{id}", "0000000000001234"},
      {"{client}_{client_port}_{server}_{server_port}", "192.0.2.1_49152_198.51.100.7_80"},
      {"{side}", "client"},
      {"{source}:{source_port}>{destination}:{destination_port}",
       "192.0.2.1:49152>198.51.100.7:80"},
      {"{start}", "20260131T235959.123456"},
      {"{start:%Y %m %d %H %M %S %j}", "2026 01 31 23 59 59 031"},
      {"{start:%F_%T}", "2026-01-31_23:59:59"},
      {"{start:%s.%f}", "1769903999.123456"},
      {"{start:%3f %6f %9f %%}", "123 123456 123456000 %"},
      {"{{{id}}}", "{0000000000001234}"},
      {"a b-ü", "a b-ü"},
  };
  for (const auto& e : examples)
    EXPECT_EQ(rendered(e.text), e.expected) << e.text;
}

TEST(name_template, has_a_default_that_keeps_the_tuple_and_tells_clients_from_servers) {
  EXPECT_EQ(rendered(name_template::default_text),
            "20260131T235959.123456-192.0.2.1.49152-198.51.100.7.80.client");
  EXPECT_EQ(rendered(name_template::default_text, side::server),
            "20260131T235959.123456-192.0.2.1.49152-198.51.100.7.80.server");
}

TEST(name_template, names_the_sender_as_the_source) {
  EXPECT_EQ(rendered("{source}-{destination}", side::server), "198.51.100.7-192.0.2.1");
  EXPECT_EQ(rendered("{source_port}-{destination_port}", side::server), "80-49152");
}

TEST(name_template, makes_folders_of_slashes_in_text_and_in_times_only) {
  EXPECT_EQ(rendered("{start:%Y/%m}/{client}/{id}.bin"), "2026/01/192.0.2.1/0000000000001234.bin");
  // This Community ID has `+` and `/`.
  session_info info;
  info.client = {address("2001:470:e5bf:dead:4957:2174:e82c:4887"), 63943};
  info.server = {address("2607:f8b0:400c:c03::1a"), 25};
  std::string out;
  names("{community_id}").render(info, side::client, out);
  EXPECT_EQ(out, "1-_qFaeAR-gFe1KYjMzVDsMv-wgU4=");
}

TEST(name_template, writes_ipv6_without_colons) {
  auto info = sample_info();
  info.client.address = address("2001:db8::1");
  std::string out;
  names("{client}").render(info, side::client, out);
  EXPECT_EQ(out, "2001-db8--1");
}

TEST(name_template, puts_a_distinction_before_the_extension) {
  const example examples[] = {
      {"{id}", "0000000000001234#"},
      {"{client}", "192.0.2.1#"},
      {"{id}.bin", "0000000000001234#.bin"},
      {"{client}.{side}", "192.0.2.1#.client"},
      {"{client}.x-{side}.bin", "192.0.2.1.x-client#.bin"},
      {"a.b/{id}", "a.b/0000000000001234#"},
      {"a.b/c", "a.b/c#"},
      {".hidden", ".hidden#"},
      {"x/.{side}", "x/.client#"},
      {"{id}/.{side}", "0000000000001234/.client#"},
      {"{start:%s}.{side}", "1769903999#.client"},
  };
  for (const auto& e : examples)
    EXPECT_EQ(rendered(e.text, side::client, "#"), e.expected) << e.text;
}

TEST(name_template, knows_what_makes_its_names_unique) {
  EXPECT_TRUE(names("{id}").has_id());
  EXPECT_FALSE(names("{client}").has_id());
  EXPECT_TRUE(names("{id}.{side}").tells_sides());
  EXPECT_TRUE(names("{source}.{source_port}").tells_sides());
  EXPECT_FALSE(names("{source}").tells_sides());
  EXPECT_FALSE(names("{client}.{server}").tells_sides());
}

struct refusal {
  std::string text;
  const char* position;
  const char* reason;
};

TEST(name_template, refuses_what_is_wrong_and_points_at_it) {
  const refusal refusals[] = {
      {"", "character 1", "empty"},
      {"/etc/{id}", "character 1", "relative"},
      {"{id}/../x", "character 6", "leave the output folder"},
      {"..", "character 1", "leave the output folder"},
      {"{start:../}x", "character 1", "leave the output folder"},
      {"./{id}", "character 1", "leave the output folder"},
      {"{id}//x", "character 6", "empty"},
      {"{id}/", "character 6", "empty"},
      {"{start:}", "character 1", "empty"},
      {"a\nb", "character 2", "control"},
      {std::string{"a\0b", 3}, "character 2", "control"},
      {"{start:%H\t}", "character 10", "control"},
      {"ab\xff", "character 3", "UTF-8"},
      {"{start:\xc3}\xa9", "character 8", "UTF-8"},
      {"x{id", "character 2", "without `}`"},
      {"x}y", "character 2", "without `{`"},
      {"{id}-{colour}", "character 6", "unknown field `{colour}`"},
      {"{}", "character 1", "unknown field"},
      {"{ID}", "character 1", "unknown field"},
      {"{id:04x}", "character 1", "takes no format"},
      {"{start:%H%q}", "character 10", "unknown time conversion"},
      {"{start:%}", "character 8", "unknown time conversion"},
      {std::string(201, 'a'), "character 1", "200 bytes"},
      {"x/" + std::string(185, 'a') + "{id}", "character 3", "200 bytes"},
  };
  for (const auto& r : refusals) {
    const auto parsed = name_template::parse(r.text);
    ASSERT_FALSE(parsed) << r.text;
    EXPECT_EQ(parsed.error().code, errc::bad_template);
    const auto message = parsed.error().message();
    EXPECT_NE(message.find(r.position), message.npos) << message;
    EXPECT_NE(message.find(r.reason), message.npos) << message;
    EXPECT_EQ(message.find('\n'), message.npos) << message;
  }
}

TEST(name_template, names_the_known_fields_where_one_is_unknown) {
  const auto message = name_template::parse("{host}").error().message();
  for (const auto* field : {"{start}", "{id}", "{community_id}", "{client}", "{client_port}",
                            "{server}", "{side}", "{source}", "{destination_port}"})
    EXPECT_NE(message.find(field), message.npos) << field;
}

TEST(name_template, refuses_names_that_are_too_long_in_all) {
  std::string text;
  for (int i = 0; i < 6; ++i)
    text += std::string(190, 'a') + '/';
  EXPECT_FALSE(name_template::parse(text + "{id}"));
  EXPECT_TRUE(name_template::parse(text.substr(0, 191 * 5) + "{id}"));
}

TEST(name_template, may_take_two_hundred_bytes_a_component) {
  EXPECT_TRUE(name_template::parse(std::string(184, 'a') + "{id}"));
  EXPECT_TRUE(name_template::parse(std::string(184, 'a') + "{id}/" + std::string(200, 'b')));
}

TEST(name_template, never_makes_a_name_that_leaves_the_folder_or_is_too_long) {
  auto info = sample_info(~std::uint64_t{0});
  info.client.address = address("2001:470:e5bf:dead:4957:2174:e82c:4887");
  info.server.address = address("::");
  info.client.port = info.server.port = 65535;
  info.start = latest_time;
  const auto everything =
      names("{id}{client}{server}{client_port}{server_port}{side}/{source}"
            "{destination}{source_port}{destination_port}/{community_id}{start:%s}");
  for (const auto s : both_sides) {
    std::string out;
    everything.render(info, s, out);
    EXPECT_LE(out.size(), name_template::max_name);
    EXPECT_EQ(std::count(out.begin(), out.end(), '/'), 2);
    EXPECT_EQ(out.find(".."), out.npos);
    EXPECT_EQ(out.find(':'), out.npos);
  }
}

} // namespace
} // namespace weir::test
