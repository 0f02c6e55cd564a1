"""What a site's signals say about its images, for the site's owner. Pure: no file and no network here."""
