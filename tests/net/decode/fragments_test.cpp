// The table of incomplete datagrams alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include <weir/net/decode/fragments.hpp>
#include <weir/tests/support/packets.hpp>

namespace weir::test {
namespace {

using status = fragment_table::status;
using std::chrono::seconds;

fragment_key key(std::uint32_t id, ip_family family = ip_family::v4) {
  fragment_key k;
  k.id = id;
  k.family = family;
  k.protocol = family == ip_family::v4 ? 6 : 0;
  return k;
}

std::string numbered(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i)
    text[i] = static_cast<char>(i * 31 + i / 251);
  return text;
}

class fragments : public testing::Test {
protected:
  fragments() { restart({}); }

  void restart(const fragment_limits& limits) {
    table_.reset();
    table_ = std::make_unique<fragment_table>(limits, budget_);
  }

  status add(const fragment_key& k, std::size_t offset, std::string_view text, bool more,
             timestamp time = at({})) {
    done_ = {};
    return table_->add({.key = k,
                        .protocol = 6,
                        .offset = static_cast<std::uint32_t>(offset),
                        .more = more,
                        .payload = as_bytes(text),
                        .time = time},
                       done_);
  }

  std::string_view completed() const { return as_text({done_.bytes.get(), done_.size}); }

  memory_budget budget_{1 << 30};
  std::unique_ptr<fragment_table> table_;
  datagram done_;
};

TEST_F(fragments, come_back_as_the_datagram_in_any_order) {
  std::mt19937 random{7};
  for (int round = 0; round < 300; ++round) {
    const auto text = numbered(1 + random() % (round % 10 == 0 ? 65535 : 3000));
    struct part {
      std::size_t offset, size;
    };
    std::vector<part> parts;
    for (std::size_t at = 0; at < text.size();) {
      const auto size = std::min<std::size_t>(8 * (1 + random() % 200), text.size() - at);
      parts.push_back({at, size});
      at += size;
    }
    std::ranges::shuffle(parts, random);
    const auto k =
        key(static_cast<std::uint32_t>(round), round % 2 == 0 ? ip_family::v4 : ip_family::v6);
    const auto add_part = [&](const part& p) {
      return add(k, p.offset, std::string_view{text}.substr(p.offset, p.size),
                 p.offset + p.size < text.size());
    };
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      ASSERT_EQ(add_part(parts[i]), status::pending);
      // Copies of what is there change nothing.
      ASSERT_EQ(add_part(parts[random() % (i + 1)]), status::pending);
    }
    ASSERT_EQ(add_part(parts.back()), status::complete);
    ASSERT_EQ(completed(), text);
    EXPECT_EQ(done_.protocol, 6u);
    EXPECT_EQ(table_->bytes(), 0u);
    EXPECT_EQ(budget_.used(), 0u);
  }
  EXPECT_EQ(table_->counters().reassembled, 300u);
  EXPECT_EQ(table_->counters().overlapping, 0u);
  EXPECT_EQ(table_->counters().given_up, 0u);
}

TEST_F(fragments, of_the_smallest_size_make_the_largest_datagram) {
  const auto text = numbered(fragment_table::max_size);
  std::vector<std::size_t> offsets(text.size() / 8 + 1);
  for (std::size_t i = 0; i < offsets.size(); ++i)
    offsets[i] = i * 8;
  std::ranges::reverse(offsets);
  for (const auto offset : offsets)
    ASSERT_EQ(
        add(key(1), offset, std::string_view{text}.substr(offset, 8), offset + 8 < text.size()),
        offset == 0 ? status::complete : status::pending);
  EXPECT_EQ(completed(), text);
}

TEST_F(fragments, of_different_keys_do_not_meet) {
  const auto base = key(1);
  std::vector<fragment_key> others(6, base);
  others[0].id = 2;
  others[1].context = 1;
  others[2].protocol = 17;
  others[3].family = ip_family::v6;
  others[4].source[3] = 1;
  others[5].destination[15] = 1;
  EXPECT_EQ(add(base, 0, "01234567", true), status::pending);
  for (const auto& k : others)
    EXPECT_EQ(add(k, 8, "89", false), status::pending);
  EXPECT_EQ(table_->pending(), 7u);
  EXPECT_EQ(add(base, 8, "89", false), status::complete);
  EXPECT_EQ(completed(), "0123456789");
}

TEST_F(fragments, that_contradict_themselves_are_malformed) {
  EXPECT_EQ(add(key(1), 0, "", true), status::malformed);
  EXPECT_EQ(add(key(1), 8, "", false), status::malformed);
  EXPECT_EQ(add(key(1), 0, "seven..", true), status::malformed);
  EXPECT_EQ(add(key(1), 65528, "01234567", false), status::malformed); // 65,536 in all
  EXPECT_EQ(add(key(1), 65528, "01234567", true), status::malformed);
  EXPECT_EQ(add(key(1), 65528, "0123456", false), status::pending); // the longest there is
  EXPECT_EQ(table_->pending(), 1u);
}

TEST_F(fragments, of_ipv4_that_overlap_give_each_byte_as_it_came_first) {
  EXPECT_EQ(add(key(1), 8, "bbbbbbbb", true), status::pending);
  EXPECT_EQ(add(key(1), 0, "aaaaaaaaAAAAAAAAaaaaaaaa", true), status::pending);
  EXPECT_EQ(table_->counters().overlapping, 1u);
  EXPECT_EQ(add(key(1), 16, "ccccccccccccc", false), status::complete);
  EXPECT_EQ(completed(), "aaaaaaaabbbbbbbbaaaaaaaaccccc");
  EXPECT_EQ(table_->counters().overlapping, 2u);
}

TEST_F(fragments, of_ipv4_that_contradict_the_end_are_ignored) {
  EXPECT_EQ(add(key(1), 8, "end", false), status::pending);
  EXPECT_EQ(add(key(1), 8, "an end", false), status::pending);
  EXPECT_EQ(add(key(1), 16, "behind..", true), status::pending);
  EXPECT_EQ(table_->counters().overlapping, 2u);
  EXPECT_EQ(add(key(1), 0, "01234567", true), status::complete);
  EXPECT_EQ(completed(), "01234567end");

  EXPECT_EQ(add(key(2), 16, "23456789", true), status::pending);
  EXPECT_EQ(add(key(2), 8, "end", false), status::pending); // before what is there
  EXPECT_EQ(add(key(2), 0, "0123456789abcdef", true), status::pending);
  EXPECT_EQ(add(key(2), 24, ".", false), status::complete);
  EXPECT_EQ(completed(), "0123456789abcdef23456789.");
}

TEST_F(fragments, of_ipv6_that_overlap_discard_the_datagram_and_what_still_comes) {
  const auto k = key(1, ip_family::v6);
  EXPECT_EQ(add(k, 0, "0123456701234567", true), status::pending);
  EXPECT_EQ(add(k, 8, "0123456701234567", true), status::pending); // one new unit, one old
  EXPECT_EQ(table_->counters().overlapping, 1u);
  EXPECT_EQ(table_->counters().given_up, 1u);
  EXPECT_EQ(table_->pending(), 0u);
  EXPECT_EQ(add(k, 0, "0123456701234567", true), status::pending);
  EXPECT_EQ(add(k, 16, "end", false), status::pending);
  EXPECT_EQ(table_->counters().reassembled, 0u);
  EXPECT_EQ(table_->counters().given_up, 1u);
}

TEST_F(fragments, of_ipv6_that_repeat_bytes_with_other_values_discard_the_datagram) {
  const auto k = key(1, ip_family::v6);
  EXPECT_EQ(add(k, 0, "01234567", true), status::pending);
  EXPECT_EQ(add(k, 0, "01234568", true), status::pending);
  EXPECT_EQ(table_->counters().given_up, 1u);
  EXPECT_EQ(add(k, 8, "end", false), status::pending);
}

TEST_F(fragments, of_ipv6_that_contradict_the_end_discard_the_datagram) {
  const auto k = key(1, ip_family::v6);
  EXPECT_EQ(add(k, 8, "end", false), status::pending);
  EXPECT_EQ(add(k, 8, "an end", false), status::pending);
  EXPECT_EQ(table_->counters().given_up, 1u);
  EXPECT_EQ(add(k, 0, "01234567", true), status::pending);
}

TEST_F(fragments, of_ipv6_that_are_exact_copies_are_harmless) {
  const auto k = key(1, ip_family::v6);
  EXPECT_EQ(add(k, 0, "01234567", true), status::pending);
  EXPECT_EQ(add(k, 0, "01234567", true), status::pending);
  EXPECT_EQ(add(k, 8, "end", false), status::complete);
  EXPECT_EQ(completed(), "01234567end");
}

TEST_F(fragments, that_were_cut_make_their_datagram_impossible) {
  EXPECT_EQ(add(key(1), 0, "01234567", true), status::pending);
  const fragment cut{.key = key(1),
                     .protocol = 6,
                     .offset = 8,
                     .more = false,
                     .cut = true,
                     .payload = {},
                     .time = at({})};
  EXPECT_EQ(table_->add(cut, done_), status::pending);
  EXPECT_EQ(table_->counters().given_up, 1u);
  EXPECT_EQ(add(key(1), 8, "end", false), status::pending);
  EXPECT_EQ(table_->counters().given_up, 1u);
}

TEST_F(fragments, that_stay_alone_time_out_in_packet_time) {
  EXPECT_EQ(add(key(1), 0, "01234567", true, at({})), status::pending);
  EXPECT_EQ(add(key(2), 0, "01234567", true, at(seconds{20})), status::pending);
  EXPECT_EQ(table_->pending(), 2u);
  EXPECT_EQ(add(key(3), 0, "01234567", true, at(seconds{31})), status::pending);
  EXPECT_EQ(table_->pending(), 2u);
  EXPECT_EQ(table_->counters().given_up, 1u);
  // The second's time began with its first fragment, and is not over.
  EXPECT_EQ(add(key(2), 8, "end", false, at(seconds{49})), status::complete);
  // The first's other half comes too late for it.
  EXPECT_EQ(add(key(1), 8, "end", false, at(seconds{49})), status::pending);
}

TEST_F(fragments, survive_a_clock_that_is_set_back) {
  EXPECT_EQ(add(key(1), 0, "01234567", true, at(seconds{1000})), status::pending);
  // A little earlier, as in merged captures: nothing is lost.
  EXPECT_EQ(add(key(1), 8, "end", false, at(seconds{990})), status::complete);

  EXPECT_EQ(add(key(2), 0, "01234567", true, at(seconds{1000})), status::pending);
  // Much earlier: the old one is stale, and does not keep newer ones from timing out.
  EXPECT_EQ(add(key(3), 0, "01234567", true, at(seconds{0})), status::pending);
  EXPECT_EQ(table_->pending(), 1u);
  EXPECT_EQ(add(key(4), 0, "01234567", true, at(seconds{31})), status::pending);
  EXPECT_EQ(table_->pending(), 1u);
  EXPECT_EQ(table_->counters().given_up, 2u);
}

TEST_F(fragments, of_a_reused_id_are_not_mixed_with_stale_ones) {
  // An older datagram whose time is not over keeps the stale one from the front of the queue.
  EXPECT_EQ(add(key(9), 0, "01234567", true, at(seconds{25})), status::pending);
  EXPECT_EQ(add(key(1), 0, "stale...", true, at(seconds{0})), status::pending);
  EXPECT_EQ(add(key(1), 8, "end", false, at(seconds{40})), status::pending);
  EXPECT_EQ(table_->counters().given_up, 1u);
  EXPECT_EQ(add(key(1), 0, "fresh...", true, at(seconds{40})), status::complete);
  EXPECT_EQ(completed(), "fresh...end");
}

TEST_F(fragments, beyond_the_memory_limit_push_out_the_oldest) {
  constexpr std::size_t limit = 1 << 20;
  restart({.max_bytes = limit});
  constexpr std::uint32_t datagrams = 5000;
  for (std::uint32_t i = 0; i < datagrams; ++i) {
    // Far from the beginning: memory must follow the bytes sent, not the offsets.
    ASSERT_EQ(add(key(i), 60000, "01234567", true), status::pending);
    ASSERT_LE(table_->bytes(), limit);
    ASSERT_EQ(table_->bytes(), budget_.used());
  }
  EXPECT_GT(table_->pending(), limit / 8192);
  EXPECT_EQ(table_->counters().given_up, datagrams - table_->pending());
  // The newest is there, the oldest is not.
  const auto text = numbered(60000);
  EXPECT_EQ(add(key(datagrams - 1), 60008, "end", false), status::pending);
  EXPECT_EQ(add(key(datagrams - 1), 0, text, true), status::complete);
  EXPECT_EQ(add(key(0), 60008, "end", false), status::pending);
  EXPECT_EQ(add(key(0), 0, text, true), status::pending);
}

TEST_F(fragments, of_one_datagram_alone_stay_within_the_limit_too) {
  constexpr std::size_t limit = 16 << 10;
  restart({.max_bytes = limit});
  const auto text = numbered(65528);
  for (std::size_t offset = 0; offset < text.size(); offset += 1024) {
    const auto part = std::string_view{text}.substr(offset, 1024);
    ASSERT_EQ(add(key(1), offset, part.substr(0, part.size() / 8 * 8), true), status::pending);
    ASSERT_LE(table_->bytes(), limit);
  }
  EXPECT_GT(table_->counters().given_up, 0u);
}

TEST_F(fragments, are_limited_in_number_of_datagrams) {
  restart({.max_datagrams = 10});
  for (std::uint32_t i = 0; i < 25; ++i)
    EXPECT_EQ(add(key(i), 0, "01234567", true), status::pending);
  EXPECT_EQ(table_->pending(), 10u);
  EXPECT_EQ(table_->counters().given_up, 15u);
  EXPECT_EQ(add(key(15), 8, "end", false), status::complete);
}

TEST_F(fragments, give_their_memory_back_with_the_table) {
  for (std::uint32_t i = 0; i < 25; ++i)
    EXPECT_EQ(add(key(i), 8000, "01234567", true), status::pending);
  EXPECT_GT(budget_.used(), 0u);
  table_.reset();
  EXPECT_EQ(budget_.used(), 0u);
}

} // namespace
} // namespace weir::test
