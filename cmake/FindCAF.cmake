# Finds CAF (the C++ Actor Framework): caf::core (and caf::io where it is there).
#
# CAF 1.x installs a package configuration, which is used as it is. 0.17, which Debian and Ubuntu ship,
# does not: its headers and libraries are looked up. CAF_ROOT names an installation of one's own.

find_package(CAF CONFIG QUIET COMPONENTS core)
if(TARGET CAF::core)
  set(CAF_FOUND TRUE)
  return()
endif()

find_path(CAF_INCLUDE_DIR caf/actor.hpp HINTS ${CAF_ROOT}/include NO_CMAKE_FIND_ROOT_PATH)
find_library(CAF_CORE_LIBRARY NAMES caf_core caf_core_static HINTS ${CAF_ROOT}/lib)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CAF REQUIRED_VARS CAF_CORE_LIBRARY CAF_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "install libcaf-dev, or set CAF_ROOT")

if(CAF_FOUND AND NOT TARGET CAF::core)
  find_package(Threads REQUIRED)
  add_library(CAF::core UNKNOWN IMPORTED)
  set_target_properties(CAF::core PROPERTIES
    IMPORTED_LOCATION ${CAF_CORE_LIBRARY}
    # SYSTEM: CAF's headers do not compile without warnings.
    INTERFACE_INCLUDE_DIRECTORIES ${CAF_INCLUDE_DIR}
    INTERFACE_LINK_LIBRARIES Threads::Threads)
endif()
mark_as_advanced(CAF_INCLUDE_DIR CAF_CORE_LIBRARY)
