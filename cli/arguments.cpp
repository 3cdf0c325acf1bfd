// SPDX-License-Identifier: MIT
#include "cli/arguments.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <set>

#include "cli/command_line.h"
#include "cli/formatted.h"
#include "cli/texts/sizes.h"
#include "cli/verb.h"

namespace bufpool {
namespace {

// CLI11 calls it with each value, and shows what it throws.
template <typename Value>
void parsed(CLI::App& app, const char* names, const char* help, const char* type, Value& value,
            bool (*parse)(std::string_view, Value&), std::string shown) {
  const auto take = [&value, parse, names = std::string(names),
                     type = std::string(type)](const std::string& text) {
    if (!parse(text, value)) {
      throw CLI::ValidationError(names, formatted("\"{}\" is no {}", text, type));
    }
  };
  app.add_option_function<std::string>(names, take, help)
      ->type_name(type)
      ->default_str(std::move(shown));
}

// Ends what the command printed. It throws a CommandError if that cannot be written: a reader would
// else take a part for the whole.
void end_output() {
  if (std::fflush(stdout) != 0) fail("stdout: it cannot be written: {}", std::strerror(errno));
}

int report_parse_error(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
    return app.exit(error) == 0 && std::cout.flush() ? 0 : static_cast<int>(ExitCode::kFailed);
  }
  print_error("bufpool: {}\n", error.what());
  const auto used = app.get_subcommands();
  print_error("try: bufpool {}--help\n", used.empty() ? "" : used[0]->get_name() + " ");
  return static_cast<int>(ExitCode::kFailed);
}

int perform(const std::string& verb, const Action& action) {
  try {
    const ExitCode code = action();
    end_output();
    return static_cast<int>(code);
  } catch (const CommandError& error) {
    print_error("bufpool {}: {}\n", verb, error.what());
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    print_error("bufpool {}: {}\n", verb, error.what());
  }
  return static_cast<int>(ExitCode::kFailed);
}

void add_verb(CLI::App& app, const Verb& verb, std::string& chosen, Action& action) {
  CLI::App* const sub = app.add_subcommand(std::string(verb.name), std::string(verb.summary));
  std::string examples = "Examples:\n";
  for (std::string_view rest = verb.examples; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    examples += formatted("  {}\n", rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  sub->footer(examples);
  sub->group("Verbs");
  Arguments arguments(*sub);
  const Action own = verb.prepare(arguments);
  sub->callback([&chosen, &action, own, name = std::string(verb.name)] {
    chosen = name;
    action = own;
  });
}

}  // namespace

void Arguments::flag(const char* names, bool& value, const char* help) {
  app_->add_flag(names, value, help);
}

void Arguments::text(const char* names, std::string& value, const char* type, const char* help) {
  app_->add_option(names, value, help)->type_name(type);
}

void Arguments::texts(const char* names, std::vector<std::string>& values, const char* type,
                      const char* help) {
  app_->add_option(names, values, help)->type_name(type)->allow_extra_args(false);
}

void Arguments::number(const char* names, std::uint64_t& value, const char* help) {
  parsed(*app_, names, help, "NUMBER", value, &parse_number, std::to_string(value));
}

void Arguments::size(const char* names, std::uint64_t& bytes, const char* help) {
  parsed(*app_, names, help, "SIZE", bytes, &parse_size, size_text(bytes));
}

void Arguments::duration(const char* names, std::uint64_t& milliseconds, const char* help) {
  parsed(*app_, names, help, "TIME", milliseconds, &parse_duration, duration_text(milliseconds));
}

void Arguments::choice(const char* names, std::string& value,
                       std::initializer_list<const char*> words, const char* help) {
  const std::vector<std::string> list(words.begin(), words.end());
  app_->add_option(names, value, help)
      ->type_name(CLI::detail::join(list, "|"))
      ->check([list](const std::string& word) {
        if (std::find(list.begin(), list.end(), word) != list.end()) return std::string();
        return formatted("\"{}\" is none of {}", word, CLI::detail::join(list, ", "));
      })
      ->default_str(value);
}

void Arguments::required(const char* name, std::string& value, const char* help) {
  app_->add_option(name, value, help)->type_name("")->required();
}

void Arguments::command(std::vector<std::string>& words, const char* help, bool is_required) {
  app_->positionals_at_end();
  app_->add_option("command", words, help)->type_name("")->required(is_required);
}

int run_command_line(std::span<const Verb* const> verbs, int count, char** words) {
  CLI::App app("Pools of buffers for programs that did not ask for them: run, watch and steer.",
               "bufpool");
  app.set_version_flag("-V,--version", "bufpool " BUFPOOL_VERSION);
  app.require_subcommand(1);
  app.get_formatter()->label("SUBCOMMAND", "VERB");
  app.get_formatter()->label("REQUIRED", "");
  app.footer("`bufpool VERB --help` tells more of a verb, with examples.");
  std::string chosen;
  Action action;
  for (const Verb* verb : verbs) add_verb(app, *verb, chosen, action);
  try {
    app.parse(count, words);
  } catch (const CLI::ParseError& error) {
    return report_parse_error(app, error);
  }
  return perform(chosen, action);
}

}  // namespace bufpool
