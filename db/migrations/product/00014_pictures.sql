-- +goose Up

-- Photos: JPEG, or PNG, in several sizes. The largest is the one whose content the name is; smaller copies have its name, and
-- how many times smaller they are before the extension.
ALTER TABLE product.images
    DROP CONSTRAINT images_media_type_known,
    DROP CONSTRAINT images_name_is_content,
    DROP CONSTRAINT images_body_length,
    ADD CONSTRAINT images_media_type_known CHECK (media_type IN ('image/jpeg', 'image/png', 'image/svg+xml')),
    ADD CONSTRAINT images_name_is_content CHECK (
        name ~ CASE media_type
            WHEN 'image/jpeg' THEN '^[0-9a-f]{64}-[0-9]{1,4}x[0-9]{1,4}(-[24])?\.jpg$'
            WHEN 'image/png' THEN '^[0-9a-f]{64}(-[0-9]{1,4}x[0-9]{1,4}(-[24])?)?\.png$'
            ELSE '^[0-9a-f]{64}\.svg$'
        END
        AND (left(name, 64) = encode(sha256(body), 'hex') OR name ~ '-[24]\.')
    ),
    ADD CONSTRAINT images_body_length CHECK (length(body) BETWEEN 1 AND 2097152);
