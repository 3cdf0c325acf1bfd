// SPDX-License-Identifier: MIT
// The arguments of one verb. arguments.cpp is the only file that knows CLI11.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): it is a library's name
class App;
class Option;
}  // namespace CLI

namespace bufpool {

// Binds arguments to variables, which have to outlive the parsing. A variable keeps its value where
// its argument is not given; what it holds at first is shown as the default. Names are such as
// "-o,--output"; without a dash in front it is a positional argument.
class Arguments {
 public:
  // The application is that of the verb, and outlives this.
  explicit Arguments(CLI::App& app) noexcept : app_(&app) {}

  // An argument without a value.
  void flag(const char* names, bool& value, const char* help);
  // `type` is the word for the value, such as FILE. texts() may be given several times.
  void text(const char* names, std::string& value, const char* type, const char* help);
  void texts(const char* names, std::vector<std::string>& values, const char* type,
             const char* help);
  void number(const char* names, std::uint64_t& value, const char* help);
  // A size such as 64K, in bytes.
  void size(const char* names, std::uint64_t& bytes, const char* help);
  // A time such as 500ms, 2s or 1m, in milliseconds; without a unit it is seconds.
  void duration(const char* names, std::uint64_t& milliseconds, const char* help);
  // One of some words.
  void choice(const char* names, std::string& value, std::initializer_list<const char*> words,
              const char* help);
  // A positional argument that has to be there.
  void required(const char* name, std::string& value, const char* help);
  // All that follows the options, as it is: a command and its arguments.
  void command(std::vector<std::string>& words, const char* help, bool is_required);

 private:
  CLI::App* app_;
};

}  // namespace bufpool
