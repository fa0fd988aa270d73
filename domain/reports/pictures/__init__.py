"""Pictures of figures: drawn as marks on a sheet, and written as SVG or printed on paper."""
