// Changing a job's tree: settings from the command line, and the entries of a comparison.
#pragma once

#include <string_view>

#include "calib/yaml_tree.h"

namespace evenkeel {

/// How a map meets the map that stands in its place.
enum class MapRule {
  replace,  // --set KEY={...}
  merge,    // an entry of a comparison: deep, its keys replacing those of the same name
};

/// Puts `value` at a key path ("transform.method"), making sections as needed.
///
/// Two rules keep a change from contradicting what it changes: `calibration.random` replaces
/// `calibration.corpus` and the other way round; and where a key under `scheme` meets a scheme
/// given by its name, that becomes {name: NAME} first.
/// Returns false, the tree unchanged, where the path leads through a value that is no section.
/// REQUIRES: tree is a map, path not empty and without empty words.
bool put(YamlValue& tree, std::string_view path, YamlValue value, MapRule rule);

}  // namespace evenkeel
