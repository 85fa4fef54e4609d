"""Rectangles of a picture."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Region:
    """A rectangle in pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column behind it."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """The first row below it."""
        return self.top + self.height

    @property
    def is_empty(self) -> bool:
        """Whether it has no pixel, as intersections may."""
        return self.width < 1 or self.height < 1

    def intersection(self, other: Region) -> Region:
        """The pixels that the two have in common, if any."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        return Region(left, top, max(right - left, 0), max(bottom - top, 0))

    def contains(self, x: int, y: int) -> bool:
        """Whether a pixel lies in it."""
        return self.left <= x < self.right and self.top <= y < self.bottom

    def grown(self, margin: int) -> Region:
        """The same with a margin on all sides."""
        return Region(
            self.left - margin,
            self.top - margin,
            self.width + 2 * margin,
            self.height + 2 * margin,
        )

    def relative_to(self, other: Region) -> Region:
        """The same, counted from the top left corner of another one."""
        return dataclasses.replace(self, left=self.left - other.left, top=self.top - other.top)

    def scaled(self, scale: int) -> Region:
        """What shows some of it in the picture whose width and height are divided by `scale`."""
        left, top = self.left // scale, self.top // scale
        return Region(left, top, -(-self.right // scale) - left, -(-self.bottom // scale) - top)

    def check_inside(self, width: int, height: int) -> None:
        """Raises ValueError unless the region has pixels and lies within a picture."""
        if min(self.left, self.top) < 0 or min(self.width, self.height) < 1:
            raise ValueError("a region begins at 0,0 or later and has at least one pixel")
        if self.right > width or self.bottom > height:
            raise ValueError(
                f"the region reaches to {self.right},{self.bottom}, "
                f"the picture has {width} x {height} px"
            )
