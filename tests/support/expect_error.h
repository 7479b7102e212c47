// Checks what an error says.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace evenkeel::support {

/// `action` throws exactly `Expected`, whose message is one line of printable text that begins with
/// `place` (the path of what is wrong) and holds each of `parts`.
template <class Expected, class Action>
void expect_error(Action&& action, const std::filesystem::path& place,
                  std::initializer_list<std::string_view> parts) {
  try {
    action();
  } catch (const Expected& error) {
    const std::string_view message = error.what();
    EXPECT_TRUE(message.starts_with(place.string())) << message;
    for (const std::string_view part : parts) {
      EXPECT_NE(message.find(part), std::string_view::npos)
          << "no \"" << part << "\" in: " << message;
    }
    for (const char c : message) {
      EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) << message;
    }
    EXPECT_LT(message.size(), 1000U) << message.substr(0, 1000);
    return;
  } catch (const std::exception& error) {
    FAIL() << "threw another error: " << error.what();
  }
  FAIL() << "threw nothing; expected an error about " << place;
}

}  // namespace evenkeel::support
