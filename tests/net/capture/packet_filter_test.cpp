#include <weir/net/capture/packet_filter.hpp>

#include <weir/tests/net/capture/reading.hpp>

namespace weir::test {
namespace {

/// A block of packets, each with its number in the time.
class filled_block {
public:
  filled_block& add(link_type link, const byte_vector& bytes,
                    std::optional<std::uint32_t> captured = {}) {
    const auto size = static_cast<std::uint32_t>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), block_.storage().begin() + used_);
    block_.packets.push_back({at_ns(count_++), used_, captured.value_or(size), size, link});
    used_ += size;
    return *this;
  }

  packet_block& block() { return block_; }

  /// The numbers of the packets that are left.
  std::vector<std::int64_t> left() const {
    std::vector<std::int64_t> numbers;
    for (const auto& p : block_.packets)
      numbers.push_back(p.time.time_since_epoch().count());
    return numbers;
  }

private:
  packet_block block_{0};
  std::uint32_t used_ = 0;
  std::int64_t count_ = 0;
};

using numbers = std::vector<std::int64_t>;

const auto to_web = ipv4({}, tcp({.destination = 80}, "x"));
const auto to_mail = ipv4({}, tcp({.destination = 25}, "x"));

packet_filter compiled(const std::string& expression) {
  auto filter = packet_filter::compile(expression);
  if (!filter) throw std::runtime_error{filter.error().message()};
  return std::move(*filter);
}

TEST(packet_filter, leaves_what_matches_in_its_order) {
  filled_block b;
  for (int i = 0; i < 3; ++i)
    b.add(link_type::ethernet, ethernet(to_web)).add(link_type::ethernet, ethernet(to_mail));
  auto filter = compiled("tcp port 80");
  EXPECT_EQ(filter.apply(b.block()), 3U);
  EXPECT_EQ(b.left(), (numbers{0, 2, 4}));
}

TEST(packet_filter, is_compiled_for_each_link_type) {
  filled_block b;
  for (const auto& packet : {to_web, to_mail})
    b.add(link_type::ethernet, ethernet(packet))
        .add(link_type::raw, packet.data)
        .add(link_type::raw_12, packet.data)
        .add(link_type::raw_14, packet.data)
        .add(link_type::ipv4, packet.data);
  auto filter = compiled("tcp port 80");
  EXPECT_EQ(filter.apply(b.block()), 5U);
  EXPECT_EQ(b.left(), (numbers{0, 1, 2, 3, 4}));
}

TEST(packet_filter, matches_nothing_on_link_types_that_it_does_not_fit) {
  filled_block b;
  b.add(link_type::ethernet, ethernet(to_web)).add(link_type{65535}, to_web.data);
  auto filter = compiled("ether proto 0x0800");
  EXPECT_EQ(filter.apply(b.block()), 1U);
  EXPECT_EQ(b.left(), numbers{0});
}

TEST(packet_filter, that_is_empty_matches_all) {
  filled_block b;
  b.add(link_type::ethernet, {}).add(link_type::raw, to_web.data);
  EXPECT_EQ(compiled("").apply(b.block()), 0U);
}

TEST(packet_filter, does_not_match_what_was_not_captured) {
  filled_block b;
  b.add(link_type::ethernet, ethernet(to_web), 20).add(link_type::ethernet, ethernet(to_web), 54);
  auto filter = compiled("tcp port 80");
  EXPECT_EQ(filter.apply(b.block()), 1U);
  EXPECT_EQ(b.left(), numbers{1});
}

TEST(packet_filter, sees_the_length_on_the_wire) {
  filled_block b;
  b.add(link_type::ethernet, ethernet(ipv4({}, tcp({}, byte_vector(1000)))), 60);
  EXPECT_EQ(compiled("greater 1000").apply(b.block()), 0U);
}

TEST(packet_filter, may_be_used_on_block_after_block) {
  auto filter = compiled("tcp port 25");
  for (int i = 0; i < 2; ++i) {
    filled_block b;
    b.add(link_type::ethernet, ethernet(to_web)).add(link_type::ethernet, ethernet(to_mail));
    EXPECT_EQ(filter.apply(b.block()), 1U);
    EXPECT_EQ(b.left(), numbers{1});
  }
  packet_block empty{0};
  EXPECT_EQ(filter.apply(empty), 0U);
}

TEST(packet_filter, that_does_not_compile_tells_libpcaps_words_in_one_line) {
  for (const char* expression : {"tcp port", "port 99999", "nonsense and tcp", "((ip)"}) {
    const auto filter = packet_filter::compile(expression);
    ASSERT_FALSE(filter) << expression;
    EXPECT_EQ(filter.error().code, errc::bad_filter);
    EXPECT_EQ(filter.error().subject, expression);
    EXPECT_FALSE(filter.error().detail.empty());
    EXPECT_EQ(filter.error().detail.find('\n'), std::string::npos);
  }
}

TEST(packet_filter, may_be_for_one_kind_of_link_type_only) {
  for (const char* expression : {"ether host 02:00:00:00:00:01", "type mgt subtype beacon"})
    EXPECT_TRUE(packet_filter::compile(expression)) << expression;
}

} // namespace
} // namespace weir::test
