# Read by cpack: what was not built has no package.
if(NOT EXISTS ${CPACK_WEIR_ARM64})
  list(REMOVE_ITEM CPACK_COMPONENTS_ALL arm64)
endif()
