"""Side by side: what img2dataset's and datadiligence's own functions make of X-Robots-Tag vectors."""
